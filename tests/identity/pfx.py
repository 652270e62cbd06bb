"""PKCS12 files, to take them apart and to make those that no honest program writes."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.pki import Leaf

from . import der

DATA, SIGNED, ENVELOPED, ENCRYPTED = (
    der.identifier(f"1.2.840.113549.1.7.{number}") for number in (1, 2, 3, 6)
)
_KEY, _SHROUDED, _CERTIFICATE, _SAFE = (
    der.identifier(f"1.2.840.113549.1.12.10.1.{number}") for number in (1, 2, 3, 6)
)
_X509 = der.identifier("1.2.840.113549.1.9.22.1")
_FRIENDLY_NAME = der.identifier("1.2.840.113549.1.9.20")
_SHA_256 = der.sequence(der.identifier("2.16.840.1.101.3.4.2.1"), b"\x05\0")
#: The derivation that claims more is done with these, for nobody is to do it at all.
_MOST_DONE = 2000


def authenticated(content: bytes) -> bytes:
    """What the MAC is over, out of a file in the layout that OpenSSL and cryptography write."""
    assert b"\x30\x82" == content[:2]
    return content[30 : 30 + int.from_bytes(content[28:30], "big")]


def without_mac(content: bytes) -> bytes:
    return file_of_safe(authenticated(content))


def pkcs8(leaf: Leaf) -> bytes:
    return leaf.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def key_bag(key: bytes) -> bytes:
    return der.sequence(_KEY, der.explicit(key))


def shrouded_key_bag(key: bytes, password: bytes, rounds: int) -> bytes:
    algorithm, content = _encrypt(key, password, rounds)
    return der.sequence(_SHROUDED, der.explicit(der.sequence(algorithm, der.octets(content))))


def certificate_bag(certificate: bytes, friendly_name: bytes = b"") -> bytes:
    """``friendly_name`` is the element of whatever string type."""
    value = der.sequence(_X509, der.explicit(der.octets(certificate)))
    attribute = der.sequence(_FRIENDLY_NAME, der.element(0x31, friendly_name))
    attributes = der.element(0x31, attribute) if friendly_name else b""
    return der.sequence(_CERTIFICATE, der.explicit(value), attributes)


def safe_bag(*bags: bytes) -> bytes:
    return der.sequence(_SAFE, der.explicit(der.sequence(*bags)))


def data(*bags: bytes) -> bytes:
    return der.sequence(DATA, der.explicit(der.octets(der.sequence(*bags))))


def encrypted(*bags: bytes, password: bytes, rounds: int = 1) -> bytes:
    algorithm, content = _encrypt(der.sequence(*bags), password, rounds)
    inner = der.sequence(DATA, algorithm, der.element(der.IMPLICIT, content))
    return der.sequence(ENCRYPTED, der.explicit(der.sequence(der.integer(0), inner)))


def file_of(*infos: bytes, password: str | None = None) -> bytes:
    """The file with these in its safe, under a MAC with the password if there is one."""
    return file_of_safe(der.sequence(*infos), password)


def file_of_safe(safe: bytes, password: str | None = None) -> bytes:
    content = der.sequence(DATA, der.explicit(der.octets(safe)))
    mac = b"" if password is None else _mac(safe, password)
    return der.sequence(der.integer(3), content, mac)


def _mac(safe: bytes, password: str) -> bytes:
    """RFC 7292, appendix B, with one round; the password has to be short."""
    salt, bmp = b"saltsalt", password.encode("utf-16-be") + b"\0\0"
    key = hashlib.sha256(b"\3" * 64 + salt * 8 + (bmp * 64)[:64]).digest()
    digest = hmac.new(key, safe, "sha256").digest()
    return der.sequence(der.sequence(_SHA_256, der.octets(digest)), der.octets(salt))


def with_pbmac1(content: bytes, password: bytes) -> bytes:
    """The same file under a MAC of RFC 9579."""
    safe = authenticated(content)
    hmac_sha_256 = der.sequence(der.identifier("1.2.840.113549.2.9"), b"\x05\0")
    parameters = der.sequence(der.octets(b"salt"), der.integer(10), der.integer(32), hmac_sha_256)
    derivation = der.sequence(der.identifier("1.2.840.113549.1.5.12"), parameters)
    scheme = der.sequence(derivation, hmac_sha_256)
    algorithm = der.sequence(der.identifier("1.2.840.113549.1.5.14"), scheme)
    key = hashlib.pbkdf2_hmac("sha256", password, b"salt", 10, 32)
    digest = hmac.new(key, safe, "sha256").digest()
    mac = der.sequence(der.sequence(algorithm, der.octets(digest)), der.octets(b""))
    return der.sequence(der.integer(3), der.sequence(DATA, der.explicit(der.octets(safe))), mac)


def _encrypt(content: bytes, password: bytes, rounds: int) -> tuple[bytes, bytes]:
    """The AlgorithmIdentifier and the content under PBES2."""
    salt, vector = os.urandom(16), os.urandom(16)
    done = min(rounds, _MOST_DONE)
    key = PBKDF2HMAC(hashes.SHA256(), 32, salt, done).derive(password)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    padding = 16 - len(content) % 16
    sealed = encryptor.update(content + bytes((padding,)) * padding) + encryptor.finalize()
    hmac_sha_256 = der.sequence(der.identifier("1.2.840.113549.2.9"), b"\x05\0")
    parameters = der.sequence(der.octets(salt), der.integer(rounds), hmac_sha_256)
    derivation = der.sequence(der.identifier("1.2.840.113549.1.5.12"), parameters)
    cipher = der.sequence(der.identifier("2.16.840.1.101.3.4.1.42"), der.octets(vector))
    scheme = der.sequence(derivation, cipher)
    return der.sequence(der.identifier("1.2.840.113549.1.5.13"), scheme), sealed
