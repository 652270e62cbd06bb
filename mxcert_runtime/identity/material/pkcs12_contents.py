"""What is inside a PKCS12 file, once a password is tried on it.

A safe that is decrypted may hold keys under encryption of their own; their work is counted by the
same measure as all before, and before any of it is done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from ...base import Secret, dataclass
from . import certificate_readers
from .ber import MalformedError
from .certificate import Certificate
from .encryption import MissingCipherError, NotDecryptedError, decrypt
from .key_derivation import Effort
from .passwords import PasswordForm
from .pem import pem_text
from .pkcs12_structure import CERTIFICATE, Bag, Sealed, Structure, read_bags
from .private_key import KeyMaterial, read_pkcs8


class UnsupportedEncryptionError(ValueError):
    """Encryption that neither this package nor this build of OpenSSL has."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        super().__init__(names)


@dataclass(frozen=True)
class Contents:
    """The keys and the certificates, each in the order of the file."""

    keys: tuple[KeyMaterial, ...]
    certificates: tuple[Certificate, ...]


def open_contents(structure: Structure, password: PasswordForm, effort: Effort) -> Contents:
    """Everything in the file.

    Raises :class:`~.encryption.NotDecryptedError`, :class:`~.ber.MalformedError`,
    :class:`UnsupportedEncryptionError` and :class:`~.key_derivation.TooMuchWorkError`.
    """
    bags = list(structure.bags)
    for sealed in structure.sealed:
        bags += read_bags(_decrypt(sealed, password), effort)
    certificates = [each for each in bags if each.kind == CERTIFICATE]
    certificate_readers.expect(len(certificates))
    keys = _open_keys([each for each in bags if each.kind != CERTIFICATE], password)
    return Contents(tuple(keys), tuple(_read_certificates(certificates)))


def _decrypt(sealed: Sealed, password: PasswordForm) -> Secret[bytes]:
    """Raises :class:`UnsupportedEncryptionError` outside of what else goes wrong."""
    if sealed.scheme is not None:
        with contextlib.suppress(MissingCipherError):
            return decrypt(sealed.scheme, password, sealed.content)
    raise UnsupportedEncryptionError(sealed.names)


def _open_keys(bags: Iterable[Bag], password: PasswordForm) -> Iterator[KeyMaterial]:
    for bag in bags:
        content = bag.content or _unseal(bag, password)
        key = read_pkcs8(content)
        if key is None:
            raise NotDecryptedError
        yield key


def _unseal(bag: Bag, password: PasswordForm) -> Secret[bytes]:
    if bag.sealed is None:
        raise MalformedError("a bag with nothing in it")
    if bag.sealed.scheme is not None:
        return _decrypt(bag.sealed, password)
    from .openssl_key import open_by_openssl

    opened = open_by_openssl(pem_text("ENCRYPTED PRIVATE KEY", Secret(bag.sealed.der)), password)
    if opened is None:
        raise UnsupportedEncryptionError(bag.sealed.names)
    return opened


def _read_certificates(bags: Iterable[Bag]) -> Iterator[Certificate]:
    for bag in bags:
        if bag.content is not None:
            yield Certificate(bag.content.reveal())
