"""What cryptography loads by itself as soon as something is derived and decrypted with it.

Up to release 42 it had a back end that loads all of its own with the first derivation.
"""

from __future__ import annotations

import functools

from .subprocesses import run_client

_DERIVATION = """
import json, sys
before = set(sys.modules)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
key = PBKDF2HMAC(hashes.SHA256(), 16, bytes(8), 1).derive(b"")
Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@functools.cache
def loaded_by_derivation() -> frozenset[str]:
    """The modules that a program has then, whoever asked for it."""
    return frozenset(run_client(_DERIVATION, host_patterns=()).json())
