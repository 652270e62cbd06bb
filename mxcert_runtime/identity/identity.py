"""An identity: a private key, the leaf certificate that fits it and the chain above, opened once.

What was opened is kept as long as an identity made from it is, so that a reload, or a second
setting that names the same content, decrypts nothing again; with the last of them it goes.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, NoReturn
from weakref import WeakValueDictionary

from ..base import ForkSafeLock, Origin, Secret, dataclass
from ..base.printable import printable
from ..errors import IdentityError, IdentityProblem
from .key import Key
from .key_transfer import try_identity
from .material.ber import MalformedError
from .material.certificate import Certificate
from .material.pairing import Pair, pair_up
from .material.refusal import RefusalsIgnored
from .opening import Content, CredentialsContent, Preparation
from .sources import Authority, AuthorityText, IdentitySettings

if TYPE_CHECKING:
    from cryptography import x509


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
    Key and certificates go to OpenSSL as they came (:attr:`key`, :meth:`certificates_pem`);
    ``certificate`` and ``chain`` are cryptography's views of the latter.
    Two identities are equal only if they are the same object; ``digest`` tells whether their
    material is the same.
    """

    name: str
    origin: Origin
    leaf: Certificate
    key: Key
    intermediates: tuple[Certificate, ...] = ()
    #: what came with it as the root above the chain; it is presented to nobody
    root: Certificate | None = None
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
class OpenedPairs:
    """What identities are made from, apart from their names."""

    pairs: tuple[Pair, ...]
    #: those that were made from it and are in use, by name and origin: one that the next settings
    #: name too stays the same object, and so keeps what others hold by it
    identities: WeakValueDictionary[tuple[str, Origin], Identity] = field(
        default_factory=WeakValueDictionary, compare=False, repr=False
    )


class _OpenedOnce:
    """What was opened in this process and is in use, by a keyed hash of content and password.

    The key of the hash never leaves the process, so what is kept says nothing about a password.
    Identities hold on to what they were made from, and nothing else does.
    """

    def __init__(self) -> None:
        self._hash_key = Secret(os.urandom(32))
        self._opened: WeakValueDictionary[bytes, OpenedPairs] = WeakValueDictionary()
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

    def get(self, key: bytes) -> OpenedPairs | None:
        with self._lock:
            return self._opened.get(key)

    def put(self, key: bytes, opened: OpenedPairs) -> None:
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
    return Opening(settings).identities()


class Opening:
    """What an entry of the settings describes, read and not yet opened.

    Raises :class:`~.errors.IdentityError` where it cannot be read.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._content = settings.material.read()
        self._prepared: Preparation | None = None

    @property
    def content(self) -> Content:
        """What was read."""
        return self._content

    @property
    def key(self) -> bytes:
        """What is the same for the same content and password, and tells nothing about them."""
        return _opened_once.key_of(self._content.parts(), self._settings.password)

    def prepare(self) -> Iterable[Callable[[], None]]:
        """Read the outside of the content; what may be done then in any thread."""
        if not self._content.parts() or _opened_once.get(self.key) is not None:
            return ()
        self._prepared = self._content.prepared(self._settings.password)
        return () if self._prepared is None else self._prepared.derivations()

    def identities(self) -> tuple[Identity, ...]:
        """The identities; raises as :func:`load_identities` does."""
        opened = open_once(self._content, self._settings.password, self._prepared)
        return tuple(_make_identities(self._settings, opened, self._content.labels[0]))

    def pinned(self) -> tuple[Authority, ...]:
        """The CAs of the settings, and those that the source has given with the identity.

        Those, and not what it would give now: identity and CAs of two updates never mix.
        """
        content = self._content
        given = content.authorities if isinstance(content, CredentialsContent) else b""
        if not given:
            return self._settings.authorities
        text = given.decode("ascii", "surrogateescape")
        return (*self._settings.authorities, AuthorityText(text, self._settings.origin))


def open_once(
    content: Content, password: Secret[str] | None, prepared: Preparation | None = None
) -> OpenedPairs:
    """Keys with their certificates; the same content is decrypted once, while it is in use.

    Raises :class:`~.errors.IdentityError`.
    """
    parts = content.parts()
    key = _opened_once.key_of(parts, password)
    opened = _opened_once.get(key) if parts else None
    if opened is None:
        keys, certificates = prepared.open() if prepared else content.open(password)
        opened = OpenedPairs(pair_up(keys, certificates, content.labels))
        if parts:
            _opened_once.put(key, opened)
    return opened


def _make_identities(
    settings: IdentitySettings, opened: OpenedPairs, label: str
) -> Iterator[Identity]:
    for number, pair in enumerate(opened.pairs, 1):
        name = settings.name if number == 1 else f"{settings.name} ({number})"
        known = opened.identities.get((name, settings.origin))
        if known is not None:
            yield known
            continue
        identity = _make_identity(settings, name, pair, opened)
        if identity is None:
            message = f"the certificate in {label} has fields that cannot be read"
            remedy = "Replace it by one that follows RFC 5280"
            raise IdentityError(IdentityProblem.DAMAGED, message, remedy)
        refusal = None if pair.is_plain else try_identity(identity)
        if refusal is not None:
            message = f"the certificate or the key in {label} cannot be used: {refusal}"
            raise IdentityError(IdentityProblem.DAMAGED, message, refusal.remedy)
        opened.identities[name, settings.origin] = identity
        yield identity


def _make_identity(
    settings: IdentitySettings, name: str, pair: Pair, opened: OpenedPairs
) -> Identity | None:
    """``None`` where the certificate cannot be read: its fields are parsed only when looked at."""
    with RefusalsIgnored():
        return Identity(
            name=name,
            origin=settings.origin,
            leaf=pair.leaf,
            key=pair.key,
            intermediates=pair.chain,
            root=pair.root,
            opened=opened,
        )
    return None


def _parsed(certificate: Certificate) -> x509.Certificate:
    if certificate.parsed is None:
        message = (
            f"the certificate `{certificate.subject}` is used as it came, since cryptography"
            " cannot read it"
        )
        remedy = "Take its bytes instead, or have it issued anew"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    return certificate.parsed


def _encoded(password: Secret[str] | None) -> Secret[bytes]:
    return Secret(password.reveal().encode("utf-8", "surrogatepass") if password else b"")
