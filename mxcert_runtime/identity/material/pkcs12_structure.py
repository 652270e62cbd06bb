"""The outside of a PKCS12 file (RFC 7292): what protects it, read without decrypting it.

A wrong password, damage and an algorithm that is not known look the same once decrypting fails;
what is read here tells them apart. All work that shows is counted before any of it is done.
"""

from __future__ import annotations

from dataclasses import field

from ...base import Secret, dataclass
from .ber import (
    EXPLICIT,
    SEQUENCE,
    Element,
    MalformedError,
    at_least,
    read_algorithm,
    read_der,
    read_element,
)
from .encryption import Scheme, read_scheme
from .key_derivation import Effort, UnknownAlgorithmError
from .pkcs12_mac import Mac, read_mac

#: A file of the trust of a whole platform has some hundreds.
_MAX_BAGS = 2000
#: Bags in bags are legal, and nobody writes them.
_MAX_NESTING = 3

_DATA = "1.2.840.113549.1.7.1"
_SIGNED = "1.2.840.113549.1.7.2"
_ENVELOPED = "1.2.840.113549.1.7.3"
_ENCRYPTED = "1.2.840.113549.1.7.6"
#: kinds of bags
KEY, SHROUDED_KEY, CERTIFICATE, _SAFE_CONTENTS = (
    f"1.2.840.113549.1.12.10.1.{number}" for number in (1, 2, 3, 6)
)


@dataclass(frozen=True)
class Sealed:
    """Something encrypted: how, and what; no ``scheme`` where the algorithm is not known here."""

    scheme: Scheme | None
    names: tuple[str, ...]
    content: bytes = field(repr=False)
    #: the whole structure, for whoever may know the algorithm
    der: bytes = field(repr=False)


@dataclass(frozen=True)
class Bag:
    """A bag by its kind: a key in clear or a certificate by its bytes, or a sealed key."""

    kind: str
    content: Secret[bytes] | None = None
    sealed: Sealed | None = None


@dataclass(frozen=True)
class Structure:
    """What protects a PKCS12 file, and what it holds in clear.

    ``algorithms`` are the object identifiers of its encryption, as far as they show without
    decrypting.
    """

    authenticated: Secret[bytes]
    mac: Mac | None
    algorithms: tuple[str, ...]
    #: protected by a public key instead of a password
    by_public_key: bool
    bags: tuple[Bag, ...] = ()
    #: safes whose bags show only when they are decrypted
    sealed: tuple[Sealed, ...] = ()

    @property
    def encrypted(self) -> bool:
        return bool(self.algorithms)

    @property
    def protected(self) -> bool:
        """Encrypted, or under a MAC alone."""
        return self.mac is not None or self.encrypted


def read_structure(content: Secret[bytes], effort: Effort) -> Structure:
    """What protects the PKCS12 file that the content is; bytes behind its end do not matter.

    Raises :class:`MalformedError` and :class:`~.key_derivation.TooMuchWorkError`.
    """
    pfx, _ = read_element(content.reveal(), 0)
    version, auth_safe, *mac_data = at_least(2, pfx.expect(SEQUENCE))
    if version.as_integer() != 3:
        raise MalformedError("not version 3")
    kind, body = _content_info(auth_safe)
    if kind == _SIGNED:
        return Structure(Secret(b""), None, (), by_public_key=True)
    if kind != _DATA:
        raise MalformedError("the authenticated safe is no data")
    authenticated = Secret(body.as_octets())
    mac = read_mac(mac_data[0], effort) if mac_data else None
    return _look_into(authenticated, mac, effort)


def _look_into(authenticated: Secret[bytes], mac: Mac | None, effort: Effort) -> Structure:
    sealed, bags, by_public_key = [], [], False
    for info in read_der(authenticated).expect(SEQUENCE).children():
        kind, body = _content_info(info)
        by_public_key |= kind == _ENVELOPED
        if kind == _ENCRYPTED:
            sealed.append(_read_encrypted(body, effort))
        elif kind == _DATA:
            bags += read_bags(Secret(body.as_octets()), effort)
    names = [each.names for each in (*sealed, *(bag.sealed for bag in bags)) if each]
    algorithms = tuple(dict.fromkeys(name for each in names for name in each))
    return Structure(
        authenticated=authenticated,
        mac=mac,
        algorithms=algorithms,
        by_public_key=by_public_key,
        bags=tuple(bags),
        sealed=tuple(sealed),
    )


def _read_encrypted(body: Element, effort: Effort) -> Sealed:
    """EncryptedData (RFC 2315, section 13)."""
    _, encrypted = at_least(2, body.expect(SEQUENCE))[:2]
    _, algorithm, content = at_least(3, encrypted.expect(SEQUENCE))[:3]
    return _seal(algorithm, content.as_octets(), b"", effort)


def _seal(algorithm: Element, content: bytes, der: bytes, effort: Effort) -> Sealed:
    names, number = read_algorithm(algorithm)
    try:
        return Sealed(scheme=read_scheme(algorithm, effort), names=names, content=content, der=der)
    except UnknownAlgorithmError:
        effort.add(number)
        return Sealed(scheme=None, names=names, content=content, der=der)


def read_bags(contents: Secret[bytes], effort: Effort, depth: int = 0) -> list[Bag]:
    """The bags of SafeContents that are of use; the work of sealed keys is counted.

    Raises :class:`MalformedError` and :class:`~.key_derivation.TooMuchWorkError`.
    """
    if depth > _MAX_NESTING:
        raise MalformedError("bags too deep in each other")
    found: list[Bag] = []
    for bag in read_element(contents.reveal(), 0)[0].expect(SEQUENCE).children():
        name, explicit = at_least(2, bag.expect(SEQUENCE))[:2]
        found += _read_bag(
            name.as_identifier(), at_least(1, explicit.expect(EXPLICIT))[0], effort, depth
        )
        if len(found) > _MAX_BAGS:
            raise MalformedError("too many bags")
    return found


def _read_bag(kind: str, value: Element, effort: Effort, depth: int) -> list[Bag]:
    if kind == KEY:
        return [Bag(kind, Secret(value.encoded()))]
    if kind == SHROUDED_KEY:
        algorithm, content = at_least(2, value.expect(SEQUENCE))[:2]
        return [Bag(kind, None, _seal(algorithm, content.as_octets(), value.encoded(), effort))]
    if kind == CERTIFICATE:
        _, certificate = at_least(2, value.expect(SEQUENCE))[:2]
        return [Bag(kind, Secret(at_least(1, certificate.expect(EXPLICIT))[0].as_octets()))]
    if kind == _SAFE_CONTENTS:
        return read_bags(Secret(value.encoded()), effort, depth + 1)
    return []  # CRLs and secrets are not asked for


def _content_info(element: Element) -> tuple[str, Element]:
    # RFC 2315 lets the content be absent; in PKCS12 that means nothing, and OpenSSL crashed on it.
    kind, explicit = at_least(2, element.expect(SEQUENCE))[:2]
    return kind.as_identifier(), at_least(1, explicit.expect(EXPLICIT))[0]
