"""The outside of a PKCS12 file, to take it apart and put it together differently."""

from __future__ import annotations

from . import der

DATA, SIGNED, ENVELOPED, ENCRYPTED = (
    der.identifier(f"1.2.840.113549.1.7.{number}") for number in (1, 2, 3, 6)
)


def authenticated(content: bytes) -> bytes:
    """What the MAC is over, out of a file in the layout that OpenSSL and cryptography write."""
    assert b"\x30\x82" == content[:2]
    return content[30 : 30 + int.from_bytes(content[28:30], "big")]


def without_mac(content: bytes) -> bytes:
    safe = der.explicit(der.octets(authenticated(content)))
    return der.sequence(der.integer(3), der.sequence(DATA, safe))
