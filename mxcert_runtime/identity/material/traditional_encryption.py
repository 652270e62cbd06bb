"""Keys in the encryption of RFC 1421 that OpenSSL wrote before PKCS8 (EVP_BytesToKey(3), MD5)."""

from __future__ import annotations

import binascii
import hashlib

from ...base import Secret
from .encryption import CIPHERS, CipherKind, MissingCipherError, NotDecryptedError, decrypt
from .passwords import PasswordForm
from .pem import PemBlock

#: names of DEK-Info, by the object identifiers of the ciphers
_IDENTIFIERS = {
    "AES-128-CBC": "2.16.840.1.101.3.4.1.2",
    "AES-192-CBC": "2.16.840.1.101.3.4.1.22",
    "AES-256-CBC": "2.16.840.1.101.3.4.1.42",
    "DES-EDE3-CBC": "1.2.840.113549.3.7",
}
_SALT = 8


class _Md5Scheme:
    """One cipher with its vector, whose beginning is the salt as well."""

    def __init__(self, cipher: CipherKind, vector: bytes) -> None:
        self.cipher = cipher
        self.vector = vector

    def derive(self, password: PasswordForm) -> Secret[bytes]:
        found = Secret(b"")
        last = Secret(b"")
        while len(found.reveal()) < self.cipher.key_size:
            last = Secret(
                hashlib.md5(
                    last.reveal() + password.octets.reveal() + self.vector[:_SALT],
                    usedforsecurity=False,
                ).digest()
            )
            found = Secret(found.reveal() + last.reveal())
        return Secret(found.reveal()[: self.cipher.key_size])

    def decrypt(self, password: PasswordForm, data: bytes) -> Secret[bytes]:
        return self.cipher.decrypt_padded(self.derive(password), self.vector, data)


def decrypt_traditional(block: PemBlock, password: PasswordForm) -> Secret[bytes] | None:
    """The content of an encrypted block; ``None`` where that cannot be had here."""
    scheme = _read_scheme(block)
    if scheme is None or block.der is None:
        return None
    try:
        return decrypt(scheme, password, block.der.reveal())
    except (NotDecryptedError, MissingCipherError):
        return None


def _read_scheme(block: PemBlock) -> _Md5Scheme | None:
    found = [x.partition(":")[2] for x in block.headers if x.startswith("DEK-Info:")]
    name, _, vector = (found[0] if found else "").partition(",")
    cipher = CIPHERS.get(_IDENTIFIERS.get(name.strip().upper(), ""))
    try:
        content = binascii.unhexlify(vector.strip())
    except ValueError:
        return None
    if cipher is None or len(content) != cipher.block_size:
        return None
    return _Md5Scheme(cipher, content)
