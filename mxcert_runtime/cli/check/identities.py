"""What ``mxcert check`` tells of a certificate, as plain data."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.oid import SignatureAlgorithmOID

from ...diagnosis import Expectation, is_chain_complete, trust_anchor_of
from ...identity import Certificate, Identity, RefusalsIgnored
from .tokens import describe_token

#: such as ``ECDSA_WITH_SHA256``, by dotted OID
_SIGNATURE_ALGORITHMS = {
    oid.dotted_string: name
    for name, oid in vars(SignatureAlgorithmOID).items()
    if isinstance(oid, x509.ObjectIdentifier)
}
_UNREADABLE = "(unreadable)"


def describe_identity(identity: Identity, expected: Expectation) -> dict[str, Any]:
    """All that may be told of an identity at the expected moment."""
    leaf = identity.leaf
    return {
        "name": identity.name,
        "origin": str(identity.origin),
        "subject": identity.subject,
        "issuer": identity.issuer,
        "alternative_names": _alternative_names(leaf),
        "key_type": identity.key_type,
        "key_bits": leaf.public_key.bits,
        "signature_algorithm": _signature_algorithm(leaf),
        "serial": f"{identity.serial:x}",
        "fingerprint": identity.fingerprint,
        "not_before": identity.not_before.isoformat(),
        "not_after": identity.not_after.isoformat(),
        "days_left": _days(identity.not_after - expected.moment),
        "validity": identity.validity_at(expected.moment).value,
        "chain": [each.subject for each in identity.intermediates],
        "trust_anchor": trust_anchor_of(identity),
        "chain_complete": is_chain_complete(identity, expected.authorities),
        "token": describe_token(identity),
    }


def describe_authority(certificate: Certificate, moment: datetime) -> dict[str, Any]:
    """What may be told of an authority at an aware moment."""
    end = certificate.validity[1] if certificate.validity else None
    return {
        "subject": certificate.subject,
        "fingerprint": hashlib.sha256(certificate.der).hexdigest(),
        "not_after": end.isoformat() if end else None,
        "days_left": _days(end - moment) if end else None,
    }


def _days(left: timedelta) -> int:
    """Whole days, rounded towards zero."""
    return int(left / timedelta(days=1))


def _signature_algorithm(certificate: Certificate) -> str:
    dotted = certificate.signature_algorithm
    return _SIGNATURE_ALGORITHMS.get(dotted, dotted)


def _alternative_names(certificate: Certificate) -> list[str]:
    with RefusalsIgnored():
        if certificate.parsed is None:
            return [_UNREADABLE]
        try:
            extensions = certificate.parsed.extensions
            extension = extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return []
        return [_shown_name(each) for each in extension.value]
    return [_UNREADABLE]


def _shown_name(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DirectoryName):
        return name.value.rfc4514_string()
    if isinstance(name, x509.OtherName):
        return f"otherName {name.type_id.dotted_string}"
    if isinstance(name, x509.RegisteredID):
        return name.value.dotted_string
    return str(name.value)
