"""One small infrastructure for all tests of identities: a root, two intermediates, a leaf."""

from __future__ import annotations

import pytest

from tests.support import pki


@pytest.fixture(scope="session")
def root() -> pki.Authority:
    return pki.Authority("Identity root")


@pytest.fixture(scope="session")
def issuer(root: pki.Authority) -> pki.Authority:
    """The second intermediate below the root."""
    return root.intermediate("First intermediate").intermediate("Second intermediate")


@pytest.fixture(scope="session")
def leaf(issuer: pki.Authority) -> pki.Leaf:
    return issuer.issue("client")
