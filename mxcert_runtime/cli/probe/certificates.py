"""The server's chain for people, and which trust vouches for it.

Whether the server is trusted is OpenSSL's decision alone, made in the handshake; here it is only
told whose it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509

from ...base import dataclass
from ...connections import Verification
from ...identity import Authorities, RefusalsIgnored, certificates_of

_MOST_NAMES = 8


@dataclass(frozen=True)
class CertificateView:
    """What is told of a certificate; names in RFC 4514, times aware, fingerprint SHA-256."""

    fingerprint: str
    subject: str
    issuer: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    #: of the subject alternative names
    names: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "not_before": self.not_before and self.not_before.isoformat(),
            "not_after": self.not_after and self.not_after.isoformat(),
            "names": list(self.names),
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True)
class Voucher:
    """Who vouches for a chain: which trust, and the authority in it as far as it can be told."""

    trust: str
    authority: str


def voucher_of(verification: Verification, chain: Sequence[bytes]) -> Voucher | None:
    """Who vouches for a chain that was verified; ``None`` where the chain cannot be read."""
    with RefusalsIgnored():
        certificates = [x509.load_der_x509_certificate(each) for each in chain]
        found, top = _climb(certificates, _load_pem(verification.of_settings))
        authority = found.subject if found else top.issuer
        return Voucher(_whose(verification, found), authority.rfc4514_string())
    return None


def _whose(verification: Verification, found: x509.Certificate | None) -> str:
    if verification.pinned is not None:
        return "the pinned CAs of the rule"
    return "default trust" if found is None else "the extra CAs"


def view_certificate(der: bytes) -> CertificateView:
    """What the certificate says; one that cannot be read has only its fingerprint."""
    fingerprint = hashlib.sha256(der).hexdigest()
    with RefusalsIgnored():
        certificate = x509.load_der_x509_certificate(der)
        return CertificateView(
            fingerprint=fingerprint,
            subject=certificate.subject.rfc4514_string() or "(no subject)",
            issuer=certificate.issuer.rfc4514_string() or "(no issuer)",
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            names=tuple(_names_of(certificate)),
        )
    return CertificateView(fingerprint, f"a certificate of {len(der)} bytes that cannot be read")


def warnings_of(chain: Sequence[CertificateView]) -> list[str]:
    """What keeps other clients of this machine from a server that was verified here."""
    leaf = chain[0] if chain else None
    if leaf is None or leaf.issuer is None or leaf.names:
        return []
    return [
        "the server's certificate names its host in the subject alone: `ssl` takes that; urllib3 2,"
        " and requests with it, refuse it. Have it issued with a subject alternative name"
    ]


def _names_of(certificate: x509.Certificate) -> list[str]:
    names: list[str] = []
    with RefusalsIgnored():  # has none, or some that cannot be read
        kind = x509.SubjectAlternativeName
        alternatives = certificate.extensions.get_extension_for_class(kind).value
        names.extend(alternatives.get_values_for_type(x509.DNSName))
        names.extend(map(str, alternatives.get_values_for_type(x509.IPAddress)))
    return names[:_MOST_NAMES]


def _load_pem(authorities: Authorities | None) -> list[x509.Certificate]:
    if authorities is None:
        return []
    parsed = [each.parsed for each in certificates_of(authorities.pem)]
    return [each for each in parsed if each is not None]


def _climb(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> tuple[x509.Certificate | None, x509.Certificate]:
    """The anchor above a chain, if it is among these; and the last certificate below it."""
    current, remaining = chain[0], list(chain[1:])
    while True:
        anchor = next((each for each in anchors if each == current or _issued(each, current)), None)
        above = next((each for each in remaining if _issued(each, current)), None)
        if anchor is not None or above is None:
            return anchor, current
        remaining.remove(above)
        current = above


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    if issuer.subject != certificate.issuer:
        return False
    with RefusalsIgnored():
        certificate.verify_directly_issued_by(issuer)
        return True
    return False
