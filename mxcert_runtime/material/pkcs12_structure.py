"""The outside of a PKCS12 file (RFC 7292): what protects it, read without decrypting it.

OpenSSL has one answer for a wrong password, for damage and for an algorithm that it lacks; what
is read here tells them apart. It also keeps from OpenSSL what it cannot bear: contents that are
missing (CVE-2024-0727) and counts of rounds that would take hours.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from ..secret import Secret
from .ber import (
    EXPLICIT,
    OCTETS,
    SEQUENCE,
    Element,
    MalformedError,
    at_least,
    read_algorithm,
    read_der,
    read_element,
)

#: Beyond it, checking the MAC in Python only to explain a failure takes too long.
_MAX_CHECKED_ROUNDS = 1_000_000

_DATA = "1.2.840.113549.1.7.1"
_SIGNED = "1.2.840.113549.1.7.2"
_ENVELOPED = "1.2.840.113549.1.7.3"
_ENCRYPTED = "1.2.840.113549.1.7.6"
_SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2"
PBMAC1 = "1.2.840.113549.1.5.14"
_MAC_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


@dataclass(frozen=True)
class Mac:
    """The MacData of a file; ``algorithm`` is the hash, or PBMAC1 (RFC 9579)."""

    algorithm: str
    digest: bytes
    salt: bytes
    rounds: int


@dataclass(frozen=True)
class Structure:
    """What protects a PKCS12 file.

    ``algorithms`` are the object identifiers of its encryption, as far as they show without
    decrypting; ``rounds`` is the highest count of rounds that anything in sight asks for.
    """

    #: the file without the bytes behind its end, which some releases of cryptography refuse
    content: Secret[bytes]
    authenticated: Secret[bytes]
    mac: Mac | None
    algorithms: tuple[str, ...]
    rounds: int
    #: protected by a public key instead of a password
    by_public_key: bool

    @property
    def encrypted(self) -> bool:
        return bool(self.algorithms)

    @property
    def protected(self) -> bool:
        """Encrypted, or under a MAC alone."""
        return self.mac is not None or self.encrypted


def read_structure(content: Secret[bytes]) -> Structure:
    """What protects the PKCS12 file that the content is; bytes behind its end do not matter.

    Raises :class:`MalformedError`.
    """
    pfx, end = read_element(content.reveal(), 0)
    content = Secret(content.reveal()[:end])
    version, auth_safe, *mac_data = at_least(2, pfx.expect(SEQUENCE))
    if version.as_integer() != 3:
        raise MalformedError("not version 3")
    kind, body = _content_info(auth_safe)
    if kind == _SIGNED:
        return Structure(content, Secret(b""), None, (), 0, by_public_key=True)
    if kind != _DATA:
        raise MalformedError("the authenticated safe is no data")
    authenticated = Secret(body.as_octets())
    mac = _mac(mac_data[0]) if mac_data else None
    return _look_into(content, authenticated, mac)


def _look_into(content: Secret[bytes], authenticated: Secret[bytes], mac: Mac | None) -> Structure:
    algorithms: dict[str, None] = {}
    rounds = mac.rounds if mac else 0
    by_public_key = False
    for info in read_der(authenticated).expect(SEQUENCE).children():
        kind, body = _content_info(info)
        by_public_key |= kind == _ENVELOPED
        for identifier in _encryptions(kind, body):
            names, number = read_algorithm(identifier)
            algorithms.update(dict.fromkeys(names))
            rounds = max(rounds, number)
    return Structure(content, authenticated, mac, tuple(algorithms), rounds, by_public_key)


def _encryptions(kind: str, body: Element) -> Iterator[Element]:
    if kind == _ENCRYPTED:
        _, encrypted = at_least(2, body.expect(SEQUENCE))[:2]
        _, algorithm, _ = at_least(3, encrypted.expect(SEQUENCE))[:3]
        yield algorithm
    if kind == _DATA:
        contents, _ = read_element(body.as_octets(), 0)
        for bag in contents.expect(SEQUENCE).children():
            name, value = at_least(2, bag.expect(SEQUENCE))[:2]
            if name.as_identifier() == _SHROUDED_KEY_BAG:
                shrouded = at_least(1, value.expect(EXPLICIT))[0]
                yield at_least(2, shrouded.expect(SEQUENCE))[0]


def _content_info(element: Element) -> tuple[str, Element]:
    # RFC 2315 lets the content be absent; in PKCS12 that means nothing, and OpenSSL crashed on it.
    kind, explicit = at_least(2, element.expect(SEQUENCE))[:2]
    return kind.as_identifier(), at_least(1, explicit.expect(EXPLICIT))[0]


def _mac(element: Element) -> Mac:
    digest_info, salt, *rounds = at_least(2, element.expect(SEQUENCE))
    algorithm, digest = at_least(2, digest_info.expect(SEQUENCE))[:2]
    names, number = read_algorithm(algorithm)
    count = rounds[0].as_integer() if rounds else 1
    if names[0] == PBMAC1:
        count = number
    octets = digest.expect(OCTETS).content, salt.expect(OCTETS).content
    return Mac(names[0], *octets, count)


def mac_fits(structure: Structure, password: Secret[bytes] | None) -> bool | None:
    """Whether the MAC was made with this password over this content; ``None``: cannot be told.

    A MAC that fits proves both, so what fails then is neither password nor damage. Without a
    password, both an empty one and a missing one are tried, which PKCS12 tells apart.
    """
    mac = structure.mac
    if mac is None or mac.algorithm not in _MAC_HASHES or mac.rounds > _MAX_CHECKED_ROUNDS:
        return None
    if password is None:
        forms = [Secret(b""), Secret(b"\0\0")]
    else:
        bmp_string = Secret(password.reveal().decode("utf-8").encode("utf-16-be"))
        forms = [Secret(bmp_string.reveal() + b"\0\0")]
    return any(_mac_fits(mac, structure.authenticated, form) for form in forms)


def _mac_fits(mac: Mac, authenticated: Secret[bytes], password: Secret[bytes]) -> bool:
    name = _MAC_HASHES[mac.algorithm]
    key = _derive_mac_key(name, password, mac)
    digest = hmac.new(key.reveal(), authenticated.reveal(), name).digest()
    return hmac.compare_digest(digest, mac.digest)


def _derive_mac_key(name: str, password: Secret[bytes], mac: Mac) -> Secret[bytes]:
    """RFC 7292, appendix B.2, for a key as long as the hash, which takes one turn of its loop."""
    block = hashlib.new(name).block_size
    key = b"\3" * block + _fill(mac.salt, block) + _fill(password.reveal(), block)
    for _ in range(max(mac.rounds, 1)):
        key = hashlib.new(name, key).digest()
    return Secret(key)


def _fill(value: bytes, block: int) -> bytes:
    """The value, repeated up to a whole number of blocks."""
    length = -(-len(value) // block) * block
    return (value * (length // max(len(value), 1) + 1))[:length]
