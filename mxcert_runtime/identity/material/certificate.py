"""A certificate as it came, and what can be told of it.

It is one if cryptography or OpenSSL reads it. cryptography is stricter than OpenSSL, which presents
and trusts certificates with odd strings, numbers and dates that authorities did issue. The few
fields that matter here are read by this package.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ...base import NativeContext, Secret, late_pattern
from . import certificate_readers
from .ber import OCTETS, SEQUENCE, Element, MalformedError, at_least, read_der, split_algorithm
from .distinguished_name import rfc4514_name
from .pem import pem_text
from .public_key import PublicKey, read_public_key
from .refusal import RefusalsIgnored

if TYPE_CHECKING:
    from cryptography import x509

_VERSION, _EXTENSIONS, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0xA3, 0x17, 0x18

#: X.680, sections 46 and 47, with what BER leaves open: seconds, fractions and an offset
_DIGITS = r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{4})?"
_TIMES = {
    _UTC_TIME: late_pattern(rf"(\d\d){_DIGITS}"),
    _GENERALIZED_TIME: late_pattern(rf"(\d{{4}}){_DIGITS}"),
}


class _Fields(NamedTuple):
    """The first fields of a TBSCertificate (RFC 5280, section 4.1)."""

    serial: Element
    signature: Element
    issuer: Element
    validity: Element
    subject: Element
    public_key: Element


class Certificate:
    """A certificate by its DER; equal where that is. ``parsed`` is cryptography's view of it.

    Raises :class:`~.ber.MalformedError` where neither cryptography nor OpenSSL can read it.
    """

    def __init__(self, der: bytes) -> None:
        self.der = der
        readers = [self._is_read_by_openssl, self._is_read_by_cryptography]
        if certificate_readers.is_at_hand():
            readers.reverse()
        if not any(read() for read in readers):
            raise MalformedError("no certificate")

    @classmethod
    def of(cls, parsed: x509.Certificate) -> Certificate:
        """The certificate that cryptography has."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return cls(parsed.public_bytes(Encoding.DER))

    def _is_read_by_openssl(self) -> bool:
        try:
            return bool(self._fields) and openssl_takes(self.der)
        except MalformedError:
            return False

    def _is_read_by_cryptography(self) -> bool:
        return self.parsed is not None

    @cached_property
    def parsed(self) -> x509.Certificate | None:
        """cryptography's view of it; ``None`` where it has none."""
        from cryptography import x509

        with RefusalsIgnored():
            return x509.load_der_x509_certificate(self.der)
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<Certificate {self.subject}>"

    def as_pem(self) -> bytes:
        """The certificate as PEM text, as it came."""
        return pem_text("CERTIFICATE", Secret(self.der)).reveal()

    @cached_property
    def subject(self) -> str:
        """RFC 4514 text."""
        return _name_text(self.subject_der)

    @cached_property
    def issuer(self) -> str:
        """RFC 4514 text."""
        return _name_text(self.issuer_der)

    @cached_property
    def subject_der(self) -> bytes:
        """The name of the subject as it stands in the certificate."""
        return self._fields.subject.encoded()

    @cached_property
    def issuer_der(self) -> bytes:
        """The name of the issuer as it stands in the certificate."""
        return self._fields.issuer.encoded()

    @cached_property
    def serial(self) -> int:
        """The serial number, which old authorities made zero or negative."""
        return self._fields.serial.as_integer()

    @cached_property
    def validity(self) -> tuple[datetime, datetime] | None:
        """Begin and end, aware, in UTC; ``None`` where a date cannot be read."""
        with RefusalsIgnored():
            begin, end = at_least(2, self._fields.validity.expect(SEQUENCE))[:2]
            return _read_time(begin), _read_time(end)
        return None

    @cached_property
    def signature_algorithm(self) -> str:
        """The dotted object identifier of what the issuer signed with."""
        return split_algorithm(self._fields.signature)[0]

    @cached_property
    def public_key(self) -> PublicKey:
        """The key that the certificate is for."""
        return read_public_key(self._fields.public_key)

    @cached_property
    def is_plain(self) -> bool:
        """Whether cryptography reads all of it, so that no other reader need be asked."""
        with RefusalsIgnored():
            if self.parsed is not None:
                names = self.parsed.subject, self.parsed.issuer
                return all(map(list, names)) and bool(list(self.parsed.extensions) or True)
        return False

    def extension(self, identifier: str) -> bytes | None:
        """The content of an extension by its dotted object identifier; ``None`` without it.

        Raises :class:`~.ber.MalformedError`.
        """
        for each in self._extensions:
            name, *_, content = at_least(2, each.expect(SEQUENCE))
            if name.as_identifier() == identifier:
                return content.expect(OCTETS).content
        return None

    @property
    def _extensions(self) -> list[Element]:
        tagged = [each for each in self._parts if each.tag == _EXTENSIONS]
        return at_least(1, tagged[0])[0].expect(SEQUENCE).children() if tagged else []

    @cached_property
    def _fields(self) -> _Fields:
        with contextlib.suppress(MalformedError, TypeError):
            parts = self._parts
            first = 1 if parts[0].tag == _VERSION else 0
            return _Fields(*parts[first : first + 6])
        raise MalformedError("no certificate")

    @property
    def _parts(self) -> list[Element]:
        """What a TBSCertificate is made of."""
        tbs = at_least(3, read_der(Secret(self.der)).expect(SEQUENCE))[0]
        return at_least(6, tbs.expect(SEQUENCE))


def openssl_takes(der: bytes) -> bool:
    """Whether OpenSSL can read the certificate at all."""
    context = NativeContext.__new__(NativeContext, ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(None, None, der)
    except (ssl.SSLError, ValueError):
        return False
    return True


def _name_text(der: bytes) -> str:
    try:
        return rfc4514_name(der)
    except MalformedError:
        return "a name that cannot be read"


def _read_time(element: Element) -> datetime:
    """A UTCTime or GeneralizedTime in any of the forms of X.680 (RFC 5280, section 4.1.2.5)."""
    *parts, zone = _split_time(element.tag, element.content.decode("ascii"))
    year, month, day, hour, minute, second = (int(each or 0) for each in parts)
    if element.tag == _UTC_TIME:
        year += 1900 if year >= 50 else 2000
    moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    return moment - _offset(zone)


def _split_time(tag: int, text: str) -> Sequence[str | None]:
    """Year to second and the zone."""
    if tag == _UTC_TIME and len(text) == 13 and text.endswith("Z") and text[:12].isdigit():
        # As DER has it, and so nearly every certificate.
        return [*(text[each : each + 2] for each in range(0, 12, 2)), "Z"]
    found = _TIMES[tag].fullmatch(text) if tag in _TIMES else None
    if found is None:
        raise MalformedError("no time")
    return found.groups()


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    minutes = int(zone[1:3]) * 60 + int(zone[3:])
    return timedelta(minutes=-minutes if zone.startswith("-") else minutes)
