"""A private key in memory as it came (PKCS8, RFC 5958), and what it is.

The bytes go to OpenSSL unchanged: parsed and written anew, a key for RSASSA-PSS would be one of
plain RSA, and a key of three primes none at all. cryptography's view of it, where there is one,
only tells about the key.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Union

from ...base import Secret, dataclass
from ...errors import IdentityError, IdentityProblem
from ..key import LoadArguments
from .ber import (
    BITS,
    IDENTIFIER,
    INTEGER,
    NULL,
    OCTETS,
    SEQUENCE,
    Element,
    MalformedError,
    at_least,
    encode,
    encode_identifier,
    encode_integer,
    read_der,
    split_algorithm,
)
from .encryption import encrypt_pbes2
from .key_passing import passed
from .pem import pem_text
from .public_key import (
    DSA,
    EC,
    KIND_NAMES,
    RSA,
    RSASSA_PSS,
    PublicKey,
    assembled_public_key,
    public_content_of,
)
from .refusal import RefusalsIgnored

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    ParsedKey = Union[
        rsa.RSAPrivateKey,
        ec.EllipticCurvePrivateKey,
        ed25519.Ed25519PrivateKey,
        ed448.Ed448PrivateKey,
        dsa.DSAPrivateKey,
    ]

_USE_ANOTHER = "Use an RSA, EC, Ed25519 or Ed448 key"
#: the context tag of a public key inside an ECPrivateKey (RFC 5915, section 3)
_EC_PARAMETERS, _EC_PUBLIC_KEY = 0xA0, 0xA1
#: curves (RFC 5480, section 2.1.1.1) by their names in cryptography, which needs nothing else then
_CURVES_DERIVED = {
    "1.2.840.10045.3.1.7": "SECP256R1",
    "1.3.132.0.34": "SECP384R1",
    "1.3.132.0.35": "SECP521R1",
}


@dataclass(frozen=True, eq=False)
class KeyMaterial:
    """A private key by its PKCS8, which nothing shows."""

    pkcs8: Secret[bytes] = field(repr=False)
    #: the dotted object identifier of its kind
    algorithm: str

    @cached_property
    def parsed(self) -> ParsedKey | None:
        """cryptography's view of it; ``None`` where it has none."""
        # Late: with it come the forms of SSH, and all kinds of keys.
        from cryptography.hazmat.primitives.serialization import load_der_private_key

        with RefusalsIgnored():
            return load_der_private_key(self.pkcs8.reveal(), None)  # type: ignore[return-value]
        return None

    def as_pem(self) -> Secret[bytes]:
        """The key as it came, in clear."""
        return pem_text("PRIVATE KEY", self.pkcs8)

    def as_encrypted_pem(self, password: Secret[str]) -> Secret[bytes]:
        """The key as it came, under a random password: its derivation adds nothing to that."""
        encrypted = encrypt_pbes2(self.pkcs8, password, os.urandom(16))
        return pem_text("ENCRYPTED PRIVATE KEY", Secret(encrypted))

    @property
    def kind(self) -> str:
        """Such as ``RSA-2048``; without size or curve where the key cannot be read."""
        public = self.public_key()
        return KIND_NAMES.get(self.algorithm, self.algorithm) if public is None else public.kind

    def public_key(self) -> PublicKey | None:
        """What a certificate for this key holds; ``None`` where that cannot be read."""
        return self._public_key

    def for_ssl(self, certificates: bytes) -> AbstractContextManager[LoadArguments]:
        """By a file in memory, or an encrypted one."""
        return passed(self, certificates)

    def for_pyopenssl(self) -> Any:
        """From memory, and as it came: pyOpenSSL's own way through cryptography forgets kinds."""
        from OpenSSL import crypto

        return crypto.load_privatekey(crypto.FILETYPE_PEM, self.as_pem().reveal())

    @cached_property
    def _public_key(self) -> PublicKey | None:
        with RefusalsIgnored():
            content = self._public_content()
            if content is not None:
                return assembled_public_key(self.algorithm, self._parameters(), content)
        return None

    def _public_content(self) -> bytes | None:
        """The public key in the form of its kind, by the bytes where they say it."""
        if self.algorithm in (RSA, RSASSA_PSS):
            return _rsa_numbers(self.pkcs8)
        derived = _derived_point(self.pkcs8) if self.algorithm == EC else None
        if derived is not None:
            return derived
        if self.parsed is not None:
            return public_content_of(self.parsed.public_key())
        return _ec_point(self.pkcs8) if self.algorithm == EC else None

    def _parameters(self) -> bytes:
        """Those of its algorithm, such as a curve; empty where it has none."""
        algorithm = at_least(2, read_der(self.pkcs8).expect(SEQUENCE))[1]
        return b"".join(each.encoded() for each in algorithm.expect(SEQUENCE).children()[1:])


def _rsa_numbers(pkcs8: Secret[bytes]) -> bytes:
    """Modulus and exponent (RFC 8017, appendix A.1)."""
    numbers = at_least(3, _inside(pkcs8).expect(SEQUENCE))[1:3]
    return encode(SEQUENCE, *(each.expect(INTEGER).encoded() for each in numbers))


def _derived_point(pkcs8: Secret[bytes]) -> bytes | None:
    """The public key of an EC key by its secret number.

    ``None`` for the curves that are seldom, and where the number is none of its curve. Raises
    :class:`~.ber.MalformedError` where the key carries the public key of another.
    """
    _, parameters = split_algorithm(at_least(2, read_der(pkcs8).expect(SEQUENCE))[1])
    if parameters.tag != IDENTIFIER or parameters.as_identifier() not in _CURVES_DERIVED:
        return None
    coordinates = _coordinates(pkcs8, _CURVES_DERIVED[parameters.as_identifier()])
    if coordinates is None:
        return None
    x, y = coordinates
    sign = y[-1] & 1
    # The forms of SEC 1, section 2.3.3; OpenSSL goes by what it finds there, if it is a point.
    forms = (b"\4" + x + y, bytes((2 | sign,)) + x, bytes((6 | sign,)) + x + y)
    carried = _ec_point(pkcs8)
    if carried and carried not in forms:
        raise MalformedError("an EC key that carries the public key of another")
    return forms[0]


def _coordinates(pkcs8: Secret[bytes], curve_name: str) -> tuple[bytes, bytes] | None:
    from cryptography.hazmat.primitives.asymmetric import ec

    curve = getattr(ec, curve_name)()
    with RefusalsIgnored():
        public = ec.derive_private_key(_secret_number(pkcs8), curve).public_key()
        point, size = public.public_numbers(), (curve.key_size + 7) // 8
        return point.x.to_bytes(size, "big"), point.y.to_bytes(size, "big")
    return None


class _HiddenNumber(int):
    """A number that the frames of others, to which it goes, show in no traceback."""

    def __repr__(self) -> str:
        return "..."


def _secret_number(pkcs8: Secret[bytes]) -> int:
    """That of an ECPrivateKey (RFC 5915, section 3)."""
    octets = at_least(2, _inside(pkcs8).expect(SEQUENCE))[1].expect(OCTETS)
    return _HiddenNumber.from_bytes(octets.content, "big")


def _ec_point(pkcs8: Secret[bytes]) -> bytes | None:
    """The public key that an EC key carries with it."""
    parts = _inside(pkcs8).expect(SEQUENCE).children()
    tagged = [each for each in parts if each.tag == _EC_PUBLIC_KEY]
    return at_least(1, tagged[0])[0].expect(BITS).as_bits() if tagged else None


def _inside(pkcs8: Secret[bytes]) -> Element:
    """The key in the form of its kind."""
    octets = at_least(3, read_der(pkcs8).expect(SEQUENCE))[2]
    return read_der(Secret(octets.expect(OCTETS).content))


def read_pkcs8(pkcs8: Secret[bytes]) -> KeyMaterial | None:
    """The key in a PrivateKeyInfo; ``None`` where the bytes are none."""
    try:
        _, algorithm, octets = at_least(3, read_der(pkcs8).expect(SEQUENCE))[:3]
        octets.expect(OCTETS)
        return KeyMaterial(pkcs8, split_algorithm(algorithm)[0])
    except MalformedError:
        return None


def read_traditional(label: str, der: Secret[bytes]) -> KeyMaterial | None:
    """The key in one of the forms that were before PKCS8, by the label of its PEM block."""
    try:
        algorithm, parameters, own = _TRADITIONAL[label](der)
    except (MalformedError, KeyError):
        return None
    identifier = encode(SEQUENCE, encode_identifier(algorithm), parameters)
    content = encode(SEQUENCE, encode_integer(0), identifier, encode(OCTETS, own.reveal()))
    return KeyMaterial(Secret(content), algorithm)


def _from_rsa(der: Secret[bytes]) -> tuple[str, bytes, Secret[bytes]]:
    at_least(9, read_der(der).expect(SEQUENCE))
    return RSA, encode(NULL), der


def _from_ec(der: Secret[bytes]) -> tuple[str, bytes, Secret[bytes]]:
    parts = at_least(2, read_der(der).expect(SEQUENCE))
    parameters = [each for each in parts if each.tag == _EC_PARAMETERS]
    if not parameters:
        raise MalformedError("an EC key that does not say its curve")
    return EC, at_least(1, parameters[0])[0].encoded(), der


def _from_dsa(der: Secret[bytes]) -> tuple[str, bytes, Secret[bytes]]:
    parts = at_least(6, read_der(der).expect(SEQUENCE))
    parameters = encode(SEQUENCE, *(each.expect(INTEGER).encoded() for each in parts[1:4]))
    return DSA, parameters, Secret(parts[5].expect(INTEGER).encoded())


_TRADITIONAL = {
    "RSA PRIVATE KEY": _from_rsa,
    "EC PRIVATE KEY": _from_ec,
    "DSA PRIVATE KEY": _from_dsa,
}
TRADITIONAL_LABELS = tuple(_TRADITIONAL)


def checked_key(key: KeyMaterial, label: str) -> KeyMaterial:
    """The key, if it is one for TLS; ``label`` is what errors call the file that it is from.

    Raises :class:`~..errors.IdentityError` with ``UNSUPPORTED``.
    """
    if key.algorithm in KIND_NAMES:
        return key
    message = f"{label} is a key for the algorithm {key.algorithm}, which is none of TLS clients"
    raise IdentityError(IdentityProblem.UNSUPPORTED, message, _USE_ANOTHER)
