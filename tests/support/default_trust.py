"""What OpenSSL trusts by default in this process: one root that nobody uses, on any machine.

The machine's bundle of 140 roots would be read wherever a context with default trust is made or
looked at, such as aiohttp's at each activation, and takes some 20 ms each time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from .pki import Authority

#: the variables by which it does, from the start of the session on
VARIABLES: dict[str, str] = {}


def trust_one_root(config: pytest.Config) -> None:
    """Before any test is imported, since libraries make contexts when they are."""
    folder = Path(tempfile.mkdtemp(prefix="default-trust-"))
    config.add_cleanup(lambda: shutil.rmtree(folder))
    (folder / "root.pem").write_bytes(Authority("Default root").pem)
    (folder / "roots").mkdir()
    VARIABLES.update(SSL_CERT_FILE=str(folder / "root.pem"), SSL_CERT_DIR=str(folder / "roots"))
    os.environ.update(VARIABLES)
