"""An identity: a private key, the leaf certificate that fits it and the chain above, opened once.

What was opened is kept as long as an identity made from it is, so that a reload, or a second
setting that names the same content, decrypts nothing again; with the last of them it goes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NoReturn
from weakref import WeakValueDictionary

from cryptography import x509

from ..base.faults import Origin
from ..base.locks import ForkSafeLock
from ..base.printable import printable
from ..base.secret import Secret
from ..errors import IdentityError, IdentityProblem
from .key_transfer import try_identity
from .material.ber import MalformedError
from .material.certificate import Certificate
from .material.certificates import load_certificates
from .material.pairing import Pair, pair_up
from .material.pem_key import open_pem_key
from .material.pkcs12 import open_pkcs12
from .material.private_key import KeyMaterial, ParsedKey, parsed_or_refused
from .material.refusal import RefusalsIgnored
from .material.source_file import read_file, refuse_size
from .sources import IdentitySettings, PemFiles, Pkcs12File

_INLINE_LABEL = "the PKCS12 content in the settings"


class Validity(Enum):
    """Whether a moment is within the validity of a certificate."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"


@dataclass(frozen=True, eq=False, repr=False)
class Identity:
    """A private key with its certificate and chain, and the name that the settings give it.

    ``intermediates`` are the chain in order, the issuer of the leaf first, without the root: RFC
    8446, section 4.4.2, lets it be omitted, since a server trusts its own copy of it or none.
    Key and certificates go to OpenSSL as they came (:meth:`key_pem`, :meth:`certificates_pem`);
    ``private_key``, ``certificate`` and ``chain`` are cryptography's views of them.
    Two identities are equal only if they are the same object; ``digest`` tells whether their
    material is the same.
    """

    name: str
    origin: Origin
    leaf: Certificate
    key: KeyMaterial
    intermediates: tuple[Certificate, ...] = ()
    #: what it was made from, kept alive for whoever opens the same
    opened: object = None
    #: SHA-256 of the leaf, lower case hexadecimal
    fingerprint: str = field(init=False)
    #: RFC 4514 text
    subject: str = field(init=False)
    #: RFC 4514 text
    issuer: str = field(init=False)
    #: aware, UTC
    not_before: datetime = field(init=False)
    #: aware, UTC
    not_after: datetime = field(init=False)
    #: such as ``RSA-2048``, ``RSASSA-PSS-2048``, ``EC-secp256r1``, ``Ed25519``
    key_type: str = field(init=False)
    serial: int = field(init=False)
    #: SHA-256 over leaf and chain; the leaf's public key stands for the private key
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        leaf = self.leaf
        if leaf.validity is None:
            raise MalformedError("a validity that cannot be read")
        facts = {
            "fingerprint": hashlib.sha256(leaf.der).hexdigest(),
            "subject": leaf.subject,
            "issuer": leaf.issuer,
            "not_before": leaf.validity[0],
            "not_after": leaf.validity[1],
            "key_type": leaf.public_key.kind,
            "serial": leaf.serial,
            "digest": hashlib.sha256(b"".join(each.der for each in self.certificates)).hexdigest(),
        }
        self.__dict__.update(facts)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The leaf and the chain above it."""
        return (self.leaf, *self.intermediates)

    @property
    def certificate(self) -> x509.Certificate:
        """cryptography's view of the leaf.

        Raises :class:`~.errors.IdentityError` with ``UNSUPPORTED`` where it has none.
        """
        return _parsed(self.leaf)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """cryptography's view of the chain above the leaf; raises as :attr:`certificate` does."""
        return tuple(map(_parsed, self.intermediates))

    @property
    def private_key(self) -> ParsedKey:
        """cryptography's view of the key, which may have lost its kind (an RSASSA-PSS key is one
        of plain RSA there); raises as :attr:`certificate` does."""
        key: ParsedKey = parsed_or_refused(
            self.key.parsed, f"the key of the identity {self.name!r}"
        )
        return key

    def key_pem(self) -> Secret[bytes]:
        """The private key as it came, as PKCS8 in PEM, in clear."""
        return self.key.as_pem()

    def encrypted_key_pem(self, password: Secret[str]) -> Secret[bytes]:
        """The private key as it came, as PKCS8 in PEM under a password that is random."""
        return self.key.as_encrypted_pem(password)

    def certificates_pem(self) -> bytes:
        """The leaf and the chain as they came, as PEM."""
        return b"".join(each.as_pem() for each in self.certificates)

    def validity_at(self, moment: datetime) -> Validity:
        """Whether the leaf is valid at an aware moment; both ends of its period count as valid."""
        if moment < self.not_before:
            return Validity.NOT_YET_VALID
        return Validity.EXPIRED if moment > self.not_after else Validity.VALID

    def __repr__(self) -> str:
        subject = printable(self.subject)
        return f"<Identity {self.name!r}: {subject}, SHA-256 {self.fingerprint[:16]}...>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an Identity cannot be pickled or copied: it must not leave the process")


@dataclass(frozen=True)
class _Opened:
    """What identities are made from, apart from their names."""

    pairs: tuple[Pair, ...]


class _OpenedOnce:
    """What was opened in this process and is in use, by a keyed hash of content and password.

    The key of the hash never leaves the process, so what is kept says nothing about a password.
    Identities hold on to what they were made from, and nothing else does.
    """

    def __init__(self) -> None:
        self._hash_key = Secret(secrets.token_bytes(32))
        self._opened: WeakValueDictionary[bytes, _Opened] = WeakValueDictionary()
        self._lock = ForkSafeLock()

    def __len__(self) -> int:
        return len(self._opened)

    def key_of(self, parts: Sequence[Secret[bytes]], password: Secret[str] | None) -> bytes:
        """A missing password and an empty one have the same key, as they open the same."""
        total = hmac.new(self._hash_key.reveal(), digestmod="sha256")
        # The digest of each part keeps the parts from running into each other.
        for part in (_encoded(password), *parts):
            total.update(hashlib.sha256(part.reveal()).digest())
        return total.digest()

    def get(self, key: bytes) -> _Opened | None:
        with self._lock:
            return self._opened.get(key)

    def put(self, key: bytes, opened: _Opened) -> None:
        with self._lock:
            self._opened[key] = opened


_opened_once = _OpenedOnce()


def load_identity(settings: IdentitySettings) -> Identity:
    """The first identity that the settings describe, which is nearly always the only one."""
    return load_identities(settings)[0]


def load_identities(settings: IdentitySettings) -> tuple[Identity, ...]:
    """The identities that the settings describe; the same content is decrypted once per process.

    There are several where a PKCS12 file holds several keys. Each has the certificate that fits
    its key, wherever it stands; certificates that are not on its path are left out. Raises
    :class:`~.errors.IdentityError` with the first thing that is wrong, never with a secret.
    """
    parts, labels = _read(settings)
    key = _opened_once.key_of(parts, settings.password)
    opened = _opened_once.get(key)
    if opened is None:
        opened = _open(parts, labels, settings.password)
        _opened_once.put(key, opened)
    return tuple(_make_identities(settings, opened, labels[0]))


def _read(settings: IdentitySettings) -> tuple[tuple[Secret[bytes], ...], tuple[str, ...]]:
    """The contents of the material and what errors call them: one for PKCS12, two for PEM."""
    material = settings.material
    if isinstance(material, PemFiles):
        paths = (material.certificate_path, material.key_path)
        contents = {path: read_file(path) for path in dict.fromkeys(paths)}
        return tuple(contents[path] for path in paths), tuple(map(repr, paths))
    if isinstance(material, Pkcs12File):
        return (read_file(material.path),), (repr(material.path),)
    refuse_size(material.content, _INLINE_LABEL)
    return (material.content,), (_INLINE_LABEL,)


def _open(
    parts: Sequence[Secret[bytes]], labels: Sequence[str], password: Secret[str] | None
) -> _Opened:
    if len(parts) == 1:
        keys, certificates = open_pkcs12(parts[0], password, labels[0])
    else:
        certificates = load_certificates(parts[0], labels[0])
        keys = (open_pem_key(parts[1], password, labels[1]),)
    return _Opened(pair_up(keys, certificates, labels))


def _make_identities(settings: IdentitySettings, opened: _Opened, label: str) -> Iterator[Identity]:
    for number, pair in enumerate(opened.pairs, 1):
        name = settings.name if number == 1 else f"{settings.name} ({number})"
        identity = _make_identity(settings, name, pair, opened)
        if identity is None:
            message = f"the certificate in {label} has fields that cannot be read"
            remedy = "Replace it by one that follows RFC 5280"
            raise IdentityError(IdentityProblem.DAMAGED, message, remedy)
        refusal = None if pair.is_plain else try_identity(identity)
        if refusal is not None:
            message = f"the certificate or the key in {label} cannot be used: {refusal}"
            raise IdentityError(IdentityProblem.DAMAGED, message, refusal.remedy)
        yield identity


def _make_identity(
    settings: IdentitySettings, name: str, pair: Pair, opened: _Opened
) -> Identity | None:
    """``None`` where the certificate cannot be read: its fields are parsed only when looked at."""
    with RefusalsIgnored():
        return Identity(name, settings.origin, pair.leaf, pair.key, pair.chain, opened)
    return None


def _parsed(certificate: Certificate) -> x509.Certificate:
    what = f"the certificate `{certificate.subject}`"
    parsed: x509.Certificate = parsed_or_refused(certificate.parsed, what)
    return parsed


def _encoded(password: Secret[str] | None) -> Secret[bytes]:
    return Secret(password.reveal().encode("utf-8", "surrogatepass") if password else b"")
