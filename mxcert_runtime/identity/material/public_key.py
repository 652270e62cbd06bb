"""The key that a certificate is for (SubjectPublicKeyInfo, RFC 5280, section 4.1.2.7).

Kinds are told by their object identifiers: a key for RSASSA-PSS alone has the same numbers as one
of plain RSA, and OpenSSL takes neither in the place of the other.
"""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from typing import Any

from ...base import Secret, dataclass
from .ber import (
    BITS,
    EXPLICIT,
    IDENTIFIER,
    INTEGER,
    SEQUENCE,
    Element,
    MalformedError,
    at_least,
    encode,
    encode_identifier,
    read_der,
    split_algorithm,
)
from .refusal import RefusalsIgnored

RSA, RSASSA_PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
DSA, EC = "1.2.840.10040.4.1", "1.2.840.10045.2.1"
ED25519, ED448 = "1.3.101.112", "1.3.101.113"

#: what TLS knows as the key of a client
KIND_NAMES = {
    RSA: "RSA",
    RSASSA_PSS: "RSASSA-PSS",
    DSA: "DSA",
    EC: "EC",
    ED25519: "Ed25519",
    ED448: "Ed448",
}

#: names of curves, as cryptography has them; those that TLS ever had
_CURVES = {
    **{"1.2.840.10045.3.1.1": "secp192r1", "1.2.840.10045.3.1.7": "secp256r1"},
    **{"1.3.132.0.10": "secp256k1", "1.3.132.0.33": "secp224r1", "1.3.132.0.34": "secp384r1"},
    **{"1.3.132.0.35": "secp521r1", "1.3.132.0.16": "sect283k1", "1.3.132.0.17": "sect283r1"},
    **{"1.3.132.0.36": "sect409k1", "1.3.132.0.37": "sect409r1"},
    **{"1.3.132.0.38": "sect571k1", "1.3.132.0.39": "sect571r1"},
    **{"1.3.132.0.26": "sect233k1", "1.3.132.0.27": "sect233r1"},
}
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


@dataclass(frozen=True)
class PublicKey:
    """The kind of a key by its object identifier, its parameters, and its bytes."""

    algorithm: str
    parameters: Element
    content: bytes
    #: the whole structure
    der: bytes

    @cached_property
    def parsed(self) -> Any:
        """cryptography's view of it, or ``None``."""
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        with RefusalsIgnored():
            return load_der_public_key(self.der)
        return None

    @cached_property
    def numbers(self) -> tuple[int, ...] | None:
        """Modulus and exponent of RSA; ``None`` for other kinds."""
        if self.algorithm not in (RSA, RSASSA_PSS):
            return None
        try:
            parts = read_der(Secret(self.content)).expect(SEQUENCE).children()
            return tuple(each.as_integer() for each in parts[:2])
        except MalformedError:
            return None

    @property
    def bits(self) -> int | None:
        """The size of the key, where its kind leaves that open."""
        if self.numbers:
            return self.numbers[0].bit_length()
        return getattr(self.parsed, "key_size", None)

    @property
    def family(self) -> str:
        """The kind without size or curve, such as ``RSASSA-PSS``; dotted where it has no name."""
        return KIND_NAMES.get(self.algorithm, self.algorithm)

    @property
    def kind(self) -> str:
        """Such as ``RSA-2048``, ``RSASSA-PSS-2048``, ``EC-secp256r1``, ``Ed25519``."""
        name = self.family
        if self.algorithm == EC:
            return f"EC-{self._curve}"
        return f"{name}-{self.bits}" if self.bits and "Ed" not in name else name

    @property
    def _curve(self) -> str:
        dotted = self.parameters.as_identifier() if self.parameters.tag == IDENTIFIER else ""
        if dotted in _CURVES:
            return _CURVES[dotted]
        return str(self.parsed.curve.name) if self.parsed else dotted or "explicit"

    @cached_property
    def pss_hash(self) -> str | None:
        """The hash that an RSASSA-PSS key is restricted to (RFC 4055, section 3.1).

        ``None`` where every hash is allowed; empty where none can be used in TLS.
        """
        if self.algorithm != RSASSA_PSS or self.parameters.tag != SEQUENCE:
            return None
        try:
            return _read_pss_hash(self.parameters)
        except MalformedError:
            return ""


def _read_pss_hash(parameters: Element) -> str:
    tagged = {each.tag: at_least(1, each)[0] for each in parameters.children()}
    hash_name = "sha1"
    if EXPLICIT in tagged:
        hash_name = _HASHES.get(split_algorithm(tagged[EXPLICIT])[0], "")
    generator = "sha1"
    if EXPLICIT + 1 in tagged:
        generator = _HASHES.get(split_algorithm(split_algorithm(tagged[EXPLICIT + 1])[1])[0], "")
    salt = tagged[EXPLICIT + 2].expect(INTEGER).as_integer() if EXPLICIT + 2 in tagged else 20
    # TLS has the same hash everywhere and a salt as long as it (RFC 8446, section 4.2.3).
    longest = {"sha256": 32, "sha384": 48, "sha512": 64}.get(hash_name, 0)
    return hash_name if generator == hash_name and salt <= longest else ""


def read_public_key(element: Element) -> PublicKey:
    """Raises :class:`~.ber.MalformedError`."""
    algorithm, key = at_least(2, element.expect(SEQUENCE))[:2]
    name, parameters = split_algorithm(algorithm)
    return PublicKey(
        algorithm=name, parameters=parameters, content=key.as_bits(), der=element.encoded()
    )


def read_encoded_key(der: bytes) -> PublicKey:
    """Raises :class:`~.ber.MalformedError`."""
    return read_public_key(read_der(Secret(der)))


def assembled_public_key(algorithm: str, parameters: bytes, content: bytes) -> PublicKey:
    """The key of its parts, as a certificate would hold it; ``parameters`` are DER or empty.

    Raises :class:`~.ber.MalformedError`.
    """
    identifier = encode(SEQUENCE, encode_identifier(algorithm), parameters)
    der = encode(SEQUENCE, identifier, encode(BITS, b"\0", content))
    return read_public_key(read_der(Secret(der)))


def public_content_of(parsed: Any) -> bytes:
    """The bytes of a public key of cryptography's, without algorithm and parameters."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = parsed.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return read_public_key(read_der(Secret(der))).content


class Fit(Enum):
    """How the key that somebody has and that of a certificate go together."""

    FITS = "fits"
    #: the same numbers, for another kind of signature
    OTHER_KIND = "other kind"
    NONE = "none"


def compare_keys(own: PublicKey, certified: PublicKey) -> Fit:
    """Whether a certificate for the one was issued for whoever has the other."""
    if not _same_numbers(own, certified):
        return Fit.NONE
    return Fit.FITS if own.algorithm == certified.algorithm else Fit.OTHER_KIND


def _same_numbers(own: PublicKey, certified: PublicKey) -> bool:
    if certified.content and own.der == certified.der:
        return True
    if certified.numbers is not None:
        return own.numbers == certified.numbers
    if own.parsed is not None and certified.parsed is not None:
        return bool(own.parsed == certified.parsed)  # a point has more than one form
    return bool(certified.content) and own.content == certified.content
