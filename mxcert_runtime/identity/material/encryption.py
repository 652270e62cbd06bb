"""What is encrypted under a password (PBES2 of RFC 8018, PKCS12's own of RFC 7292, appendix C).

A scheme is read and its work counted before anything is derived. The plain text comes out as it
was put in, byte for byte: what a key is says its own encoding, and no parser of ours stands
between.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any, Protocol, Union

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from ...base import Secret, dataclass
from .ber import (
    NULL,
    OCTETS,
    SEQUENCE,
    Element,
    MalformedError,
    at_least,
    encode,
    encode_identifier,
    encode_integer,
    split_algorithm,
)
from .key_derivation import (
    HMAC_SHA_256,
    PBKDF2,
    Effort,
    Pbkdf2,
    Scrypt,
    UnknownAlgorithmError,
    positive,
    read_derivation,
    read_salt,
)
from .passwords import PasswordForm
from .pkcs12_derivation import derive_pkcs12
from .refusal import RefusalsIgnored

_PBES2 = "1.2.840.113549.1.5.13"
_AES_256_CBC = "2.16.840.1.101.3.4.1.42"
#: Some seconds of RC2 in Python; a hundred certificates have less.
_MAX_RC2_BYTES = 256 * 1024

#: decrypts by key, vector and data, the padding left on
_Decrypt = Callable[[Secret[bytes], bytes, bytes], Secret[bytes]]


class NotDecryptedError(ValueError):
    """The password is wrong, or the content is damaged."""


class MissingCipherError(ValueError):
    """The build of OpenSSL that cryptography has lacks the cipher, which is old or forbidden."""


def _triple_des() -> Any:
    """Newer releases of cryptography have moved what is old, and warn at its old place."""
    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    except ImportError:
        from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
    return TripleDES


def _arc4() -> Any:
    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    except ImportError:
        from cryptography.hazmat.primitives.ciphers.algorithms import ARC4
    return ARC4


def _run(cipher: Cipher[Any], data: bytes) -> Secret[bytes]:
    decryptor = cipher.decryptor()
    return Secret(decryptor.update(data) + decryptor.finalize())


def _by_aes(key: Secret[bytes], vector: bytes, data: bytes) -> Secret[bytes]:
    return _run(Cipher(AES(key.reveal()), modes.CBC(vector)), data)


def _by_triple_des(key: Secret[bytes], vector: bytes, data: bytes) -> Secret[bytes]:
    # With two keys the first is the third as well, and cryptography deprecates to say it shorter.
    three = Secret(key.reveal() + key.reveal()[: 24 - len(key.reveal())])
    return _run(Cipher(_triple_des()(three.reveal()), modes.CBC(vector)), data)


def _by_rc2(key: Secret[bytes], vector: bytes, data: bytes) -> Secret[bytes]:
    if len(data) > _MAX_RC2_BYTES:
        raise MalformedError("more under RC2 than anyone puts there")
    from .rc2 import decrypt_rc2_cbc

    return decrypt_rc2_cbc(key, vector, data)


def _by_rc4(key: Secret[bytes], vector: bytes, data: bytes) -> Secret[bytes]:
    return _run(Cipher(_arc4()(key.reveal()), None), data)


@dataclass(frozen=True)
class CipherKind:
    """A cipher as files use it."""

    decrypt: _Decrypt
    #: bytes of the key and of a block; a stream has no block
    key_size: int
    block_size: int

    def decrypt_padded(self, key: Secret[bytes], vector: bytes, data: bytes) -> Secret[bytes]:
        """The plain text without its padding; raises :class:`NotDecryptedError`."""
        return _unpad(self, self.decrypt(key, vector, data))


CIPHERS = {
    "2.16.840.1.101.3.4.1.2": CipherKind(_by_aes, 16, 16),
    "2.16.840.1.101.3.4.1.22": CipherKind(_by_aes, 24, 16),
    _AES_256_CBC: CipherKind(_by_aes, 32, 16),
    "1.2.840.113549.3.7": CipherKind(_by_triple_des, 24, 8),
}
_PKCS12_CIPHERS = {
    "1.2.840.113549.1.12.1.1": CipherKind(_by_rc4, 16, 0),
    "1.2.840.113549.1.12.1.2": CipherKind(_by_rc4, 5, 0),
    "1.2.840.113549.1.12.1.3": CipherKind(_by_triple_des, 24, 8),
    "1.2.840.113549.1.12.1.4": CipherKind(_by_triple_des, 16, 8),
    "1.2.840.113549.1.12.1.5": CipherKind(_by_rc2, 16, 8),
    "1.2.840.113549.1.12.1.6": CipherKind(_by_rc2, 5, 8),
}


@dataclass(frozen=True)
class _Pbes2:
    cipher: CipherKind
    derivation: Pbkdf2 | Scrypt
    vector: bytes

    def decrypt(self, password: PasswordForm, data: bytes) -> Secret[bytes]:
        key = self.derivation.derive(password, self.cipher.key_size)
        return self.cipher.decrypt_padded(key, self.vector, data)

    def derive_ahead(self, password: PasswordForm) -> None:
        """The part that takes its time and needs nothing of the interpreter."""
        self.derivation.derive_ahead(password, self.cipher.key_size)


@dataclass(frozen=True)
class _Pkcs12Pbe:
    cipher: CipherKind
    salt: bytes
    rounds: int

    def decrypt(self, password: PasswordForm, data: bytes) -> Secret[bytes]:
        key = self._derive(1, password, self.cipher.key_size)
        vector = self._derive(2, password, self.cipher.block_size)
        return self.cipher.decrypt_padded(key, vector.reveal(), data)

    def derive_ahead(self, password: PasswordForm) -> None:
        """Nothing: it takes OpenSSL no time, and in Python no thread would be free meanwhile."""

    def _derive(self, purpose: int, password: PasswordForm, length: int) -> Secret[bytes]:
        return derive_pkcs12("sha1", purpose, password.utf_16, self.salt, self.rounds, length)


Scheme = Union[_Pbes2, _Pkcs12Pbe]


def read_scheme(algorithm: Element, effort: Effort) -> Scheme:
    """The scheme that an AlgorithmIdentifier describes, its work counted.

    Raises :class:`MalformedError`, and :class:`UnknownAlgorithmError` or
    :class:`~.key_derivation.TooMuchWorkError` as data for what is said about it.
    """
    name, parameters = split_algorithm(algorithm)
    if name in _PKCS12_CIPHERS:
        salt, rounds = at_least(2, parameters.expect(SEQUENCE))[:2]
        cipher = _PKCS12_CIPHERS[name]
        scheme = _Pkcs12Pbe(cipher, read_salt(salt), positive(rounds))
        # The key and the vector, in pieces of 20 bytes.
        effort.add(scheme.rounds * (3 if cipher.key_size > 20 else 2))
        return scheme
    if name != _PBES2:
        raise UnknownAlgorithmError(name)
    return _read_pbes2(parameters, effort)


def _read_pbes2(parameters: Element, effort: Effort) -> _Pbes2:
    derivation, encryption = at_least(2, parameters.expect(SEQUENCE))[:2]
    # Its work comes first: it is what has to be refused, whatever the cipher.
    derived = read_derivation(derivation, effort)
    name, vector = split_algorithm(encryption)
    if name not in CIPHERS:
        raise UnknownAlgorithmError(name)
    content = vector.expect(OCTETS).content
    if len(content) != CIPHERS[name].block_size:
        raise MalformedError("a vector that is not as long as a block")
    return _Pbes2(CIPHERS[name], derived, content)


class Decrypting(Protocol):
    """A scheme that has its parameters, and is told the password."""

    def decrypt(self, password: PasswordForm, data: bytes) -> Secret[bytes]: ...


def decrypt(scheme: Decrypting, password: PasswordForm, data: bytes) -> Secret[bytes]:
    """The plain text.

    Raises :class:`NotDecryptedError` where the password or the data is wrong, and
    :class:`MissingCipherError`.
    """
    found, is_missing = None, False
    with RefusalsIgnored():
        try:
            found = scheme.decrypt(password, data)
        except UnsupportedAlgorithm:
            is_missing = True
    if is_missing:
        raise MissingCipherError
    if found is None:
        raise NotDecryptedError
    return found


def _unpad(cipher: CipherKind, plain: Secret[bytes]) -> Secret[bytes]:
    """Without the padding of RFC 8018, section 6.1.1, which every wrong key breaks."""
    if not cipher.block_size:
        return plain
    length = plain.reveal()[-1] if plain else 0
    is_padded = (
        0 < length <= cipher.block_size
        and plain.reveal().endswith(bytes((length,)) * length)
        and len(plain.reveal()) % cipher.block_size == 0
    )
    if not is_padded:
        raise NotDecryptedError
    return Secret(plain.reveal()[:-length])


def encrypt_pbes2(plain: Secret[bytes], password: Secret[str], salt: bytes) -> bytes:
    """An EncryptedPrivateKeyInfo (RFC 5958, section 3) by PBKDF2-SHA-256 and AES-256-CBC.

    Its rounds are few: the password has to be random, and of one use.
    """
    vector, rounds = os.urandom(16), 2048
    key = Secret(hashlib.pbkdf2_hmac("sha256", password.reveal().encode(), salt, rounds, 32))
    encryptor = Cipher(AES(key.reveal()), modes.CBC(vector)).encryptor()
    padding = 16 - len(plain.reveal()) % 16
    content = encryptor.update(plain.reveal() + bytes((padding,)) * padding) + encryptor.finalize()
    hmac = encode(SEQUENCE, encode_identifier(HMAC_SHA_256), encode(NULL))
    parameters = encode(SEQUENCE, encode(OCTETS, salt), encode_integer(rounds), hmac)
    derivation = encode(SEQUENCE, encode_identifier(PBKDF2), parameters)
    cipher = encode(SEQUENCE, encode_identifier(_AES_256_CBC), encode(OCTETS, vector))
    scheme = encode(SEQUENCE, encode_identifier(_PBES2), encode(SEQUENCE, derivation, cipher))
    return encode(SEQUENCE, scheme, encode(OCTETS, content))
