"""An identity: a private key, the leaf certificate that fits it and the chain above, opened once.

What was opened is kept for the process, so that a reload, or a second setting that names the same
content, decrypts nothing again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from .errors import IdentityError, IdentityProblem
from .fork_safe_lock import ForkSafeLock
from .material.pem import load_certificates
from .material.pem_key import open_pem_key
from .material.pkcs12 import open_pkcs12
from .material.private_key import PrivateKey, key_type
from .material.refusal import RefusalsIgnored
from .material.source_file import read_file, refuse_size
from .printable import printable
from .secret import Secret
from .settings.model import IdentitySettings, Origin, PemFiles, Pkcs12File

_INLINE_LABEL = "the PKCS12 content in the settings"

#: Two generations of 1,000 identities, so that a reload of that many finds them all.
_OPENED_LIMIT = 2000


class Validity(Enum):
    """Whether a moment is within the validity of a certificate."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"


@dataclass(frozen=True, eq=False, repr=False)
class Identity:
    """A private key with its certificate and chain, and the name that the settings give it.

    ``chain`` are the intermediates in order, the issuer of the leaf first, without the root: RFC
    8446, section 4.4.2, lets it be omitted, since a server trusts its own copy of it or none.
    Two identities are equal only if they are the same object; ``digest`` tells whether their
    material is the same.
    """

    name: str
    origin: Origin
    certificate: x509.Certificate
    private_key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()
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
    #: such as ``RSA-2048``, ``EC-secp256r1``, ``Ed25519``
    key_type: str = field(init=False)
    serial: int = field(init=False)
    #: SHA-256 over leaf and chain; the leaf's public key stands for the private key
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        leaf = self.certificate
        not_before, not_after = _validity_period(leaf)
        facts = {
            "fingerprint": hashlib.sha256(_der(leaf)).hexdigest(),
            "subject": leaf.subject.rfc4514_string(),
            "issuer": leaf.issuer.rfc4514_string(),
            "not_before": not_before,
            "not_after": not_after,
            "key_type": key_type(self.private_key),
            "serial": leaf.serial_number,
            "digest": hashlib.sha256(b"".join(map(_der, (leaf, *self.chain)))).hexdigest(),
        }
        self.__dict__.update(facts)

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
    """What :class:`Identity` is made from, apart from its name."""

    private_key: PrivateKey = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]


class _OpenedOnce:
    """What was opened in this process, by a keyed hash of content and password; bounded.

    The key of the hash never leaves the process, so what is kept says nothing about a password.
    """

    def __init__(self) -> None:
        self._hash_key = Secret(secrets.token_bytes(32))
        self._opened: OrderedDict[bytes, _Opened] = OrderedDict()
        self._lock = ForkSafeLock()

    def key_of(self, parts: Sequence[Secret[bytes]], password: Secret[str] | None) -> bytes:
        """A missing password and an empty one have the same key, as they open the same."""
        total = hmac.new(self._hash_key.reveal(), digestmod="sha256")
        # The digest of each part keeps the parts from running into each other.
        for part in (_encoded(password), *parts):
            total.update(hashlib.sha256(part.reveal()).digest())
        return total.digest()

    def get(self, key: bytes) -> _Opened | None:
        with self._lock:
            if key in self._opened:
                self._opened.move_to_end(key)
            return self._opened.get(key)

    def put(self, key: bytes, opened: _Opened) -> None:
        with self._lock:
            self._opened[key] = opened
            if len(self._opened) > _OPENED_LIMIT:
                self._opened.popitem(last=False)


_opened_once = _OpenedOnce()


def load_identity(settings: IdentitySettings) -> Identity:
    """The identity that the settings describe; the same content is decrypted once per process.

    The leaf is the certificate that fits the key, wherever it stands; certificates that are not
    on its path are left out. Raises :class:`~.errors.IdentityError` with the first thing that is
    wrong, never with a secret.
    """
    parts, labels = _read(settings)
    key = _opened_once.key_of(parts, settings.password)
    opened = _opened_once.get(key)
    if opened is None:
        opened = _open(parts, labels, settings.password)
        _opened_once.put(key, opened)
    identity = _make_identity(settings, opened)
    if identity is None:
        message = f"the certificate in {labels[0]} has fields that cannot be read"
        remedy = "Replace it by one that follows RFC 5280"
        raise IdentityError(IdentityProblem.DAMAGED, message, remedy)
    return identity


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
        private_key, certificates = open_pkcs12(parts[0], password, labels[0])
    else:
        certificates = load_certificates(parts[0], labels[0])
        private_key = open_pem_key(parts[1], password, labels[1])
    leaf = _find_leaf(private_key, certificates, labels)
    return _Opened(private_key, leaf, _order_chain(leaf, certificates))


def _find_leaf(
    key: PrivateKey, certificates: Sequence[x509.Certificate], labels: Sequence[str]
) -> x509.Certificate:
    for certificate in certificates:
        if _fits(key, certificate):
            return certificate
    if not certificates:
        message = f"{labels[0]} holds a private key and no certificate"
        remedy = "Export the key together with its certificate"
        raise IdentityError(IdentityProblem.NO_CERTIFICATE, message, remedy)
    subjects = ", ".join(map(_subject, certificates[:3])) + ", ..." * (len(certificates) > 3)
    whose = "its certificates" if len(labels) == 1 else f"the certificates of {labels[0]}"
    message = f"the key in {labels[-1]} fits none of {whose} ({subjects})"
    remedy = "Bring together the certificate and the key that it was issued for"
    raise IdentityError(IdentityProblem.KEY_MISMATCH, message, remedy)


def _fits(key: PrivateKey, certificate: x509.Certificate) -> bool:
    with RefusalsIgnored():
        return certificate.public_key() == key.public_key()
    return False  # a certificate for a key of a kind that is not supported


def _subject(certificate: x509.Certificate) -> str:
    with RefusalsIgnored():
        return certificate.subject.rfc4514_string()
    return "a subject that cannot be read"


def _order_chain(
    leaf: x509.Certificate, certificates: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """The path from the leaf upwards, as far as the certificates go, without a root."""
    left = dict.fromkeys(each for each in certificates if each != leaf and not is_root(each))
    path = [leaf]
    while True:
        issuers = [each for each in left if has_issued(each, path[-1])]
        if not issuers:
            return tuple(path[1:])
        # Of a certificate and its renewal the later one serves longer; both have the same key.
        path.append(max(issuers, key=_end_of_validity))
        del left[path[-1]]


def is_root(certificate: x509.Certificate) -> bool:
    """Whether a certificate is signed with its own key."""
    return has_issued(certificate, certificate)


def has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether the names fit and the signature is the issuer's, as far as it can be verified."""
    with RefusalsIgnored():
        return certificate.issuer == issuer.subject and _signature_fits(issuer, certificate)
    return False  # names that cannot be read


def _signature_fits(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    with RefusalsIgnored():
        try:
            certificate.verify_directly_issued_by(issuer)
        except InvalidSignature:
            return False
    return True  # also where the algorithm is not supported here: the server verifies it


def _make_identity(settings: IdentitySettings, opened: _Opened) -> Identity | None:
    """``None`` where the certificate cannot be read: its fields are parsed only when looked at."""
    with RefusalsIgnored():
        return Identity(
            settings.name, settings.origin, opened.certificate, opened.private_key, opened.chain
        )
    return None


def _validity_period(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _end_of_validity(certificate: x509.Certificate) -> datetime:
    with RefusalsIgnored():
        return _validity_period(certificate)[1]
    return datetime.min.replace(tzinfo=timezone.utc)  # a date that cannot be read


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _encoded(password: Secret[str] | None) -> Secret[bytes]:
    return Secret(password.reveal().encode("utf-8", "surrogatepass") if password else b"")
