"""When certificates are read by cryptography first, and when by OpenSSL.

cryptography's readers take 40 ms to import and a fiftieth of a millisecond for each certificate;
OpenSSL is there, and takes half a millisecond each. So cryptography is asked where it is imported
already, or where there is much to read; the other one is asked for what the first does not take.
"""

from __future__ import annotations

import importlib
import sys

_READER = "cryptography.x509"
#: certificates, or identities, from which on the import pays
_PAYS_FROM = 32


def is_at_hand() -> bool:
    """Whether cryptography's readers are imported."""
    return _READER in sys.modules


def expect(count: int) -> None:
    """Import them if so many certificates, or identities, are worth it."""
    if count >= _PAYS_FROM:
        importlib.import_module(_READER)
