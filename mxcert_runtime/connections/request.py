"""The CertificateRequest of a server, read from its handshake message, and which identity fits it.

TLS 1.2: RFC 5246, section 7.4.4. TLS 1.3: RFC 8446, section 4.3.2. Pure: bytes and identities in,
a choice with its reasons out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from weakref import WeakKeyDictionary

from ..base import HANDSHAKE_HEADER_LENGTH, TLS_1_3, dataclass
from ..identity import ComparableName, Identity, Validity, comparable_name, readable_name

_SIGNATURE_ALGORITHMS, _CERTIFICATE_AUTHORITIES = 13, 47

#: TLS SignatureScheme values (RFC 8446, section 4.2.3) that a key of each type can make. In
#: TLS 1.2 the low byte names the key and the high byte the hash, and ECDSA is bound to no curve.
_RSA = frozenset({0x0201, 0x0301, 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806})
_RSA_IN_TLS_1_3 = frozenset({0x0804, 0x0805, 0x0806})
_ECDSA = frozenset({0x0203, 0x0303, 0x0403, 0x0503, 0x0603})
_ECDSA_IN_TLS_1_3 = {
    "EC-secp256r1": frozenset({0x0403}),
    "EC-secp384r1": frozenset({0x0503}),
    "EC-secp521r1": frozenset({0x0603}),
    # A curve that is written out is one of these, as OpenSSL finds out.
    "EC-explicit": frozenset({0x0403, 0x0503, 0x0603}),
}
#: with the OIDs of RSASSA-PSS, whose keys make no other, in both versions
_RSASSA_PSS = {"sha256": 0x0809, "sha384": 0x080A, "sha512": 0x080B}
#: TLS 1.3 has no DSA.
_DSA = frozenset({0x0202, 0x0302, 0x0402, 0x0502, 0x0602})
_EDWARDS = {"Ed25519": frozenset({0x0807}), "Ed448": frozenset({0x0808})}

#: ClientCertificateType values of TLS 1.2; Edwards keys count as ECDSA (RFC 8422, section 5.5)
_RSA_SIGN, _DSS_SIGN, _ECDSA_SIGN = 1, 2, 64
_CERTIFICATE_TYPES = {"RSA": _RSA_SIGN, "RSASSA-PSS": _RSA_SIGN, "DSA": _DSS_SIGN}


class MalformedRequestError(ValueError):
    """The message is no CertificateRequest; OpenSSL is about to refuse it too."""


@dataclass(frozen=True)
class CertificateRequest:
    """What a server accepts. ``issuers`` are DER names; none at all means that every one fits."""

    version: int
    issuers: tuple[bytes, ...]
    signature_schemes: frozenset[int]
    #: TLS 1.2 only, empty in TLS 1.3
    certificate_types: frozenset[int] = frozenset()

    @functools.cached_property
    def accepted_names(self) -> frozenset[ComparableName]:
        """The issuers, in the form in which they are compared."""
        return frozenset(map(comparable_name, self.issuers))

    def describe(self) -> str:
        """What the server accepts, for people."""
        names = "; ".join(readable_name(issuer) for issuer in self.issuers) or "any issuer"
        schemes = " ".join(f"{scheme:04x}" for scheme in sorted(self.signature_schemes))
        return f"issuers: {names}; signature schemes: {schemes or 'any'}"


@dataclass(frozen=True)
class Choice:
    """The identity that fits first, and why each one before it (or all) did not."""

    identity: Identity | None
    refused: tuple[tuple[str, str], ...]


@functools.lru_cache(maxsize=64)
def parse_request(version: int, message: bytes) -> CertificateRequest:
    """Read the handshake message, its header included; a server says the same each time.

    Raises :class:`MalformedRequestError`.
    """
    reader = _Reader(message[HANDSHAKE_HEADER_LENGTH:])
    return _parse_tls_1_3(reader) if version == TLS_1_3 else _parse_tls_1_2(version, reader)


def moment_of_choice(candidates: Sequence[Identity], now: datetime) -> datetime | None:
    """The moment at which candidates must be valid: dates choose among several.

    Whether the only one is valid the server judges, since clocks are wrong more often than it helps
    to withhold it.
    """
    return now if len(candidates) > 1 else None


def choose(
    request: CertificateRequest, candidates: Iterable[Identity], now: datetime | None
) -> Choice:
    """The first candidate that fits the request and is valid ``now``; ``None``: dates count not."""
    refused: list[tuple[str, str]] = []
    for identity in candidates:
        reason = explain_misfit(request, identity, now)
        if reason is None:
            return Choice(identity, tuple(refused))
        refused.append((identity.name, reason))
    return Choice(None, tuple(refused))


def explain_misfit(
    request: CertificateRequest, identity: Identity, now: datetime | None
) -> str | None:
    """Why the identity does not fit; ``None`` where it does. Without a moment dates count not."""
    validity = Validity.VALID if now is None else identity.validity_at(now)
    if validity is not Validity.VALID:
        return f"it is {validity.value}"
    if request.issuers and _issuers_of(identity).isdisjoint(request.accepted_names):
        return f"no issuer of its chain is accepted (it is issued by {identity.issuer})"
    if not _key_fits(request, identity):
        return f"its key ({identity.key_type}) cannot sign as the server accepts"
    return None


_issuers: WeakKeyDictionary[Identity, frozenset[ComparableName]] = WeakKeyDictionary()


def _issuers_of(identity: Identity) -> frozenset[ComparableName]:
    """The names along the chain: a server may name the root, and the chain hold intermediates."""
    found = _issuers.get(identity)
    if found is None:
        names = (comparable_name(each.issuer_der) for each in identity.certificates)
        found = _issuers[identity] = frozenset(names)
    return found


def _key_fits(request: CertificateRequest, identity: Identity) -> bool:
    schemes = _schemes_of(request.version, identity)
    if request.signature_schemes and not schemes & request.signature_schemes:
        return False
    kind = _CERTIFICATE_TYPES.get(_family(identity), _ECDSA_SIGN)
    return not request.certificate_types or kind in request.certificate_types


def _family(identity: Identity) -> str:
    """The kind of the key without its size or curve."""
    return identity.leaf.public_key.family


def _schemes_of(version: int, identity: Identity) -> frozenset[int]:
    family, key_type = _family(identity), identity.key_type
    if family == "RSA":
        return _RSA_IN_TLS_1_3 if version == TLS_1_3 else _RSA
    if family == "RSASSA-PSS":
        restriction = identity.leaf.public_key.pss_hash
        return frozenset(
            scheme
            for name, scheme in _RSASSA_PSS.items()
            if restriction is None or name == restriction
        )
    if family == "DSA":
        return frozenset() if version == TLS_1_3 else _DSA
    if key_type in _EDWARDS:
        return _EDWARDS[key_type]
    return _ECDSA_IN_TLS_1_3.get(key_type, frozenset()) if version == TLS_1_3 else _ECDSA


def _parse_tls_1_2(version: int, reader: _Reader) -> CertificateRequest:
    types = frozenset(reader.vector(1))
    schemes = _read_schemes(_Reader(reader.vector(2)))
    return CertificateRequest(
        version=version,
        issuers=_read_names(_Reader(reader.vector(2))),
        signature_schemes=schemes,
        certificate_types=types,
    )


def _parse_tls_1_3(reader: _Reader) -> CertificateRequest:
    reader.vector(1)  # certificate_request_context
    extensions = dict(_read_extensions(_Reader(reader.vector(2))))
    schemes = _Reader(_Reader(extensions.get(_SIGNATURE_ALGORITHMS, b"\0\0")).vector(2))
    names = _Reader(_Reader(extensions.get(_CERTIFICATE_AUTHORITIES, b"\0\0")).vector(2))
    return CertificateRequest(TLS_1_3, _read_names(names), _read_schemes(schemes))


def _read_extensions(reader: _Reader) -> Iterator[tuple[int, bytes]]:
    while reader:
        yield reader.integer(2), reader.vector(2)


def _read_schemes(reader: _Reader) -> frozenset[int]:
    schemes = set()
    while reader:
        schemes.add(reader.integer(2))
    return frozenset(schemes)


def _read_names(reader: _Reader) -> tuple[bytes, ...]:
    names = []
    while reader:
        names.append(reader.vector(2))
    return tuple(names)


class _Reader:
    """Takes integers and vectors of TLS's presentation language from the front of bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def __bool__(self) -> bool:
        return self._position < len(self._content)

    def integer(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def vector(self, size_of_length: int) -> bytes:
        return self._take(self.integer(size_of_length))

    def _take(self, size: int) -> bytes:
        end = self._position + size
        if end > len(self._content):
            raise MalformedRequestError("a CertificateRequest ends too early")
        taken = self._content[self._position : end]
        self._position = end
        return taken
