"""One small infrastructure for all tests of identities: a root, two intermediates, a leaf."""

from __future__ import annotations

import pytest

from mxcert_runtime.identity.material import certificate_readers
from tests.support import pki


@pytest.fixture(params=["cryptography", "openssl"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who is asked for certificates first; a program's start has only OpenSSL at hand."""
    is_at_hand = request.param == "cryptography"
    monkeypatch.setattr(certificate_readers, "is_at_hand", lambda: is_at_hand)
    return str(request.param)


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
