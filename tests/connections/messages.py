"""CertificateRequest messages as servers write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TLS_1_2, TLS_1_3 = 0x0303, 0x0304
RSA_SIGN, ECDSA_SIGN = 1, 64
SIGNATURE_ALGORITHMS, CERTIFICATE_AUTHORITIES = 13, 47


def vector(size_of_length: int, content: bytes) -> bytes:
    """Content behind its length."""
    return len(content).to_bytes(size_of_length, "big") + content


def numbers(values: Iterable[int]) -> bytes:
    """A vector of two-byte numbers."""
    return vector(2, b"".join(value.to_bytes(2, "big") for value in values))


def names(issuers: Iterable[bytes]) -> bytes:
    """A vector of distinguished names."""
    return vector(2, b"".join(vector(2, issuer) for issuer in issuers))


def message(content: bytes) -> bytes:
    """A handshake message with its header."""
    return b"\x0d" + vector(3, content)


def tls_1_2(
    issuers: Sequence[bytes] = (),
    schemes: Sequence[int] = (0x0403, 0x0804, 0x0401),
    types: Sequence[int] = (RSA_SIGN, ECDSA_SIGN),
) -> bytes:
    """RFC 5246, section 7.4.4."""
    return message(vector(1, bytes(types)) + numbers(schemes) + names(issuers))


def tls_1_3(
    issuers: Sequence[bytes] = (),
    schemes: Sequence[int] = (0x0403, 0x0804),
    context: bytes = b"",
    more: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """RFC 8446, section 4.3.2; without issuers there is no such extension."""
    extensions = [(SIGNATURE_ALGORITHMS, numbers(schemes)), *more]
    if issuers:
        extensions.append((CERTIFICATE_AUTHORITIES, names(issuers)))
    content = b"".join(kind.to_bytes(2, "big") + vector(2, each) for kind, each in extensions)
    return message(vector(1, context) + vector(2, content))
