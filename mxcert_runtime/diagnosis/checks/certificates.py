"""Checks of one identity's certificates: validity, chain, strength, and what they are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from ...base import dataclass
from ...identity import (
    DATES_REMEDY,
    Certificate,
    Identity,
    RefusalsIgnored,
    Validity,
    describe_dates,
    has_issued,
    is_root,
    warning_window,
)
from .diagnostic import Diagnostic, DiagnosticCode

#: Security level 2, the default of OpenSSL 3 and of CPython's contexts since 3.10, asks for 112
#: bits (SSL_CTX_set_security_level(3)).
_LEAST_RSA_BITS, _LEAST_EC_BITS = 2048, 224
_LEAST_BITS = {
    **dict.fromkeys(("RSA", "RSASSA-PSS", "DSA"), _LEAST_RSA_BITS),
    "EC": _LEAST_EC_BITS,
}
_DATE_CODES = {
    Validity.NOT_YET_VALID: DiagnosticCode.NOT_YET_VALID,
    Validity.EXPIRED: DiagnosticCode.EXPIRED,
    Validity.VALID: DiagnosticCode.EXPIRES_SOON,
}
_WEAK_HASHES = ("md5", "sha1")
_CLIENT_USAGES = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True)
class Expectation:
    """What identities are held against: a moment (aware), how long they must last after it, and
    the authorities that are known here, among which an issuer may be found to be a root."""

    moment: datetime
    window: timedelta
    authorities: tuple[Certificate, ...] = ()
    #: whether identities outside their validity are faults of the settings, and told as such
    has_refused_dates: bool = False


def check_identity(identity: Identity, expected: Expectation) -> Iterator[Diagnostic]:
    """All that is wrong, or may be, with the certificates of one identity."""
    for certificate, label in _labelled(identity):
        yield from _check_validity(identity, certificate, label, expected)
    yield from _check_chain(identity, expected)
    for certificate, label in _labelled(identity):
        yield from _check_strength(identity, certificate, label)
        yield from _check_form(identity, certificate, label)
    yield from _check_usage(identity)


def trust_anchor_of(identity: Identity) -> str:
    """The subject of the certificate that servers need to hold: the issuer at the chain's end."""
    return identity.certificates[-1].issuer


def is_chain_complete(identity: Identity, authorities: Iterable[Certificate]) -> bool | None:
    """Whether the chain reaches up to a root: ``None`` where that cannot be known from here."""
    last = identity.certificates[-1]
    own = (last,) if identity.root is None else (last, identity.root)
    if any(is_root(each) and has_issued(each, last) for each in (*own, *authorities)):
        return True
    return None


def _labelled(identity: Identity) -> list[tuple[Certificate, str]]:
    leaf = f"the identity {identity.name!r}"
    chain = [
        (each, f"the intermediate `{each.subject}` of {leaf}") for each in identity.intermediates
    ]
    return [(identity.leaf, leaf), *chain]


def _check_validity(
    identity: Identity, certificate: Certificate, label: str, expected: Expectation
) -> Iterator[Diagnostic]:
    if certificate.validity is None:
        return
    window = warning_window(*certificate.validity, expected.window)
    found = describe_dates(label, certificate.validity, expected.moment, window)
    if found is not None:
        validity, problem = found
        is_told = expected.has_refused_dates and certificate is identity.leaf
        if not is_told or validity is Validity.VALID:
            yield Diagnostic.of_identity(identity, _DATE_CODES[validity], problem, DATES_REMEDY)


def _check_chain(identity: Identity, expected: Expectation) -> Iterator[Diagnostic]:
    if identity.intermediates or is_chain_complete(identity, expected.authorities):
        return
    problem = (
        f"the identity {identity.name!r} comes without the certificate of its issuer"
        f" `{identity.issuer}`; a server that trusts only a root above it refuses it"
    )
    remedy = (
        "Add the certificate of the issuer to the file, and of each CA between it and the root; if"
        " the issuer is the root itself, add that, and nothing is missing (a root is not presented)"
    )
    yield Diagnostic.of_identity(identity, DiagnosticCode.INCOMPLETE_CHAIN, problem, remedy)


def _check_strength(
    identity: Identity, certificate: Certificate, label: str
) -> Iterator[Diagnostic]:
    key = _weak_key(certificate)
    if key:
        remedy = f"Have it issued anew for RSA of {_LEAST_RSA_BITS} bits or more, or EC P-256"
        problem = f"{label} has a key of {key}, which OpenSSL refuses at its default security level"
        yield Diagnostic.of_identity(identity, DiagnosticCode.WEAK_KEY, problem, remedy)
    weak_hash = signature_hash(certificate)
    if weak_hash in _WEAK_HASHES:
        problem = f"{label} is signed with {weak_hash.upper()}, which can be forged"
        remedy = "Have it issued anew with a signature by SHA-256"
        yield Diagnostic.of_identity(identity, DiagnosticCode.WEAK_SIGNATURE, problem, remedy)


def _check_form(identity: Identity, certificate: Certificate, label: str) -> Iterator[Diagnostic]:
    """OpenSSL takes what RFC 5280 forbids; servers that are not OpenSSL may well refuse it."""
    reason = None
    if certificate.serial <= 0:
        reason = "has a serial number that is not positive"
    elif certificate.parsed is None:
        reason = "is not in the form of RFC 5280, so that cryptography cannot read it"
    if reason:
        problem = f"{label} {reason}; strict servers, such as those in Go or Rust, refuse it"
        remedy = "Have it issued anew by an authority that keeps to RFC 5280"
        yield Diagnostic.of_identity(identity, DiagnosticCode.UNUSUAL_CERTIFICATE, problem, remedy)


def _weak_key(certificate: Certificate) -> str | None:
    with RefusalsIgnored():
        key = certificate.public_key
        least = _LEAST_BITS.get(key.family)
        if least and key.bits and key.bits < least:
            return f"{key.bits} bits ({key.family})"
    return None


def signature_hash(certificate: Certificate) -> str | None:
    """The hash that the issuer signed, such as ``sha256``; ``None`` for Edwards keys."""
    with RefusalsIgnored():
        if certificate.parsed is None:
            return None
        try:
            algorithm = certificate.parsed.signature_hash_algorithm
        except UnsupportedAlgorithm:
            return None
        return algorithm.name if algorithm else None
    return None


def _check_usage(identity: Identity) -> Iterator[Diagnostic]:
    # RFC 8446, section 4.4.2.2, asks for both of a client's certificate, if they are there.
    extended = _extension(identity.leaf, x509.ExtendedKeyUsage)
    if extended is not None and not any(usage in extended for usage in _CLIENT_USAGES):
        problem = f"the identity {identity.name!r} is not for TLS clients (Extended Key Usage)"
        remedy = "Have it issued with clientAuth, or name the file of the client's certificate"
        yield Diagnostic.of_identity(
            identity, DiagnosticCode.NO_CLIENT_AUTHENTICATION, problem, remedy
        )
    usage = _extension(identity.leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        problem = f"the key of the identity {identity.name!r} is not for signatures (Key Usage)"
        remedy = "Have it issued with digitalSignature, by which a TLS client proves its key"
        yield Diagnostic.of_identity(identity, DiagnosticCode.NO_DIGITAL_SIGNATURE, problem, remedy)


def _extension(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    with RefusalsIgnored():
        if certificate.parsed is None:
            return None
        try:
            return certificate.parsed.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None
    return None
