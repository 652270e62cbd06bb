"""A few lines that write DER and BER, for structures that no honest program writes."""

from __future__ import annotations

SEQUENCE, EXPLICIT, IMPLICIT = 0x30, 0xA0, 0x80


def element(tag: int, *parts: bytes) -> bytes:
    """An element with a definite length."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def endless(tag: int, *parts: bytes) -> bytes:
    """An element of indefinite length, which BER has and DER has not."""
    return bytes((tag, 0x80)) + b"".join(parts) + b"\0\0"


def sequence(*parts: bytes) -> bytes:
    return element(SEQUENCE, *parts)


def explicit(*parts: bytes) -> bytes:
    return element(EXPLICIT, *parts)


def octets(value: bytes) -> bytes:
    return element(0x04, value)


def integer(value: int) -> bytes:
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def identifier(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    content = b""
    for arc in (first * 40 + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(arc & 0x7F | 0x80)
        content += bytes(reversed(digits))
    return element(0x06, content)


def pbes2(rounds: int) -> bytes:
    """The AlgorithmIdentifier of PBES2 with PBKDF2 and AES-256 (RFC 8018)."""
    derivation = sequence(
        identifier("1.2.840.113549.1.5.12"), sequence(octets(b"salt"), integer(rounds))
    )
    cipher = sequence(identifier("2.16.840.1.101.3.4.1.42"), octets(bytes(16)))
    return sequence(identifier("1.2.840.113549.1.5.13"), sequence(derivation, cipher))
