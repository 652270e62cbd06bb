"""Where ``mxcert run`` is installed, and settings that can be used."""

from __future__ import annotations

import pytest

from tests.support.client_files import ClientFiles
from tests.support.installation import Installation, Installations
from tests.support.pki import Leaf


@pytest.fixture
def installation(installations: Installations) -> Installation:
    """Where the package is installed."""
    return installations.wheel


@pytest.fixture
def settings(client_files: ClientFiles, alpha: Leaf) -> dict[str, str]:
    """Settings that can be used."""
    return client_files.variables(alpha)
