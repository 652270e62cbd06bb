"""What bytes are that are not what was asked for: told by how they begin, and by their outside.

For messages alone; nothing is decrypted, and nothing of the content is ever said.
"""

from __future__ import annotations

import base64
import binascii
import re
from enum import Enum

from ...base import Secret, dataclass, late_pattern
from .ber import IDENTIFIER, INTEGER, OCTETS, SEQUENCE, Element, MalformedError, read_element
from .certificate import Certificate
from .refusal import RefusalsIgnored


class Form(Enum):
    """What a file can be, in the words that a message has for it."""

    PKCS12 = "a PKCS12 file"
    JKS = "a Java keystore (JKS)"
    JCEKS = "a Java keystore (JCEKS)"
    PKCS7_DER = "a PKCS7 bundle, which holds certificates and no key"
    PKCS7_PEM = "a PKCS7 bundle in PEM, which holds certificates and no key"
    CMS_PEM = "a CMS bundle in PEM, which holds certificates and no key"
    CERTIFICATE_DER = "a certificate in DER without its key"
    CERTIFICATE_PEM = "PEM text with a certificate and no key"
    KEY_DER = "a private key in DER without a certificate"
    SEALED_KEY_DER = "an encrypted private key in DER without a certificate"
    KEY_PEM = "PEM text with a private key and no certificate"
    BOTH_PEM = "PEM text with a certificate and a key"
    REQUEST = "a certificate request (CSR), which no CA has signed"
    PUBLIC_KEY = "a public key alone"
    REVOCATIONS = "a list of revoked certificates (CRL)"
    OTHER_PEM = "PEM text without certificate and key"
    ESCAPED = r"PEM text with `\n` written out in the place of its line breaks"
    QUOTED = "PEM text in quotes"
    UTF_16 = "text in UTF-16"
    MARKUP = "an HTML or XML page"
    ARCHIVE = "a ZIP archive"


@dataclass(frozen=True)
class Found:
    """A form, and how often it is wrapped in base64."""

    form: Form
    layers: int = 0

    def __str__(self) -> str:
        return "base64 of " * self.layers + self.form.value


_BEGIN_TEXT = rb"-----BEGIN ([A-Z0-9 #]+)-----"
_BEGIN = late_pattern(_BEGIN_TEXT)
#: such a line in itself, whatever stands in front of it
_BEGIN_LINE = late_pattern(_BEGIN_TEXT + rb"[ \t]*\r?$", re.MULTILINE)
_ESCAPED = late_pattern(_BEGIN_TEXT + rb"\\+[nr]")
#: at the start of a text: what is further down is a comment to all who read PEM
_MANGLED = late_pattern(
    rb"(?:\xef\xbb\xbf)?\s*(?:([\"'`])\s*)?"
    rb"-----BEGIN [A-Z0-9 ]*(?:CERTIFICATE|PRIVATE KEY)-----(?:(\\+[nr])|[ \t]*\r?\n)"
)
_BASE64 = late_pattern(rb"[A-Za-z0-9+/=\s]+")
_MOST_LAYERS = 3
_BEGINNINGS = {
    b"\xfe\xed\xfe\xed": Form.JKS,
    b"\xce\xce\xce\xce": Form.JCEKS,
    b"PK\x03\x04": Form.ARCHIVE,
    b"\xff\xfe": Form.UTF_16,
    b"\xfe\xff": Form.UTF_16,
    b"ssh-": Form.PUBLIC_KEY,
    b"ecdsa-sha2-": Form.PUBLIC_KEY,
}
_LABELS = {
    "PKCS7": Form.PKCS7_PEM,
    "PKCS #7 SIGNED DATA": Form.PKCS7_PEM,
    "CMS": Form.CMS_PEM,
    "PKCS12": Form.PKCS12,
    "PFX": Form.PKCS12,
    "CERTIFICATE REQUEST": Form.REQUEST,
    "NEW CERTIFICATE REQUEST": Form.REQUEST,
    "PUBLIC KEY": Form.PUBLIC_KEY,
    "RSA PUBLIC KEY": Form.PUBLIC_KEY,
    "X509 CRL": Form.REVOCATIONS,
}
_SIGNED_DATA = "1.2.840.113549.1.7.2"


def recognise(content: Secret[bytes], layers: int = 0) -> Found | None:
    """What the content is, if that is certain."""
    beginning = content.reveal()[:16]
    for mark, form in _BEGINNINGS.items():
        if beginning.startswith(mark):
            return Found(form, layers)
    if beginning.startswith(b"\x30"):
        in_der = _in_der(content)
        return None if in_der is None else Found(in_der, layers)
    form_of_text = mangled(content) or _in_pem(content) or _in_text(content)
    if form_of_text is not None:
        return Found(form_of_text, layers)
    inside = _decoded(content) if layers < _MOST_LAYERS else None
    return None if inside is None else recognise(inside, layers + 1)


def mangled(content: Secret[bytes]) -> Form | None:
    """How PEM text was damaged on its way through a variable or a template, if it was.

    Its first block would be passed over in silence, and those behind it read.
    """
    start = _MANGLED.match(content.reveal())
    if start is None:
        return None
    if start.group(2):
        return Form.ESCAPED
    return Form.QUOTED if start.group(1) else None


def _in_pem(content: Secret[bytes]) -> Form | None:
    """By the blocks whose lines are whole, if there are any: else they stand in another text."""
    whole = _BEGIN_LINE.findall(content.reveal())
    if not whole and _ESCAPED.search(content.reveal()):
        return Form.ESCAPED
    labels = {each.decode("ascii") for each in whole or _BEGIN.findall(content.reveal())}
    if not labels:
        return None
    has_key = any(each.endswith("PRIVATE KEY") for each in labels)
    if any(each.endswith("CERTIFICATE") for each in labels):
        return Form.BOTH_PEM if has_key else Form.CERTIFICATE_PEM
    if has_key:
        return Form.KEY_PEM
    return next((form for label, form in _LABELS.items() if label in labels), Form.OTHER_PEM)


def _in_text(content: Secret[bytes]) -> Form | None:
    if b"\0B\0E\0G\0I\0N" in content.reveal():  # with letters beside each NUL, in either order
        return Form.UTF_16
    is_markup = content.reveal()[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    return Form.MARKUP if is_markup else None


def _decoded(content: Secret[bytes]) -> Secret[bytes] | None:
    if not _BASE64.fullmatch(content.reveal()):
        return None
    try:
        return Secret(base64.b64decode(b"".join(content.reveal().split()), validate=True))
    except binascii.Error:
        return None


def _in_der(content: Secret[bytes]) -> Form | None:
    try:
        outer, end = read_element(content.reveal(), 0)
        parts = outer.expect(SEQUENCE).children()[:3]
        by_outside = _by_outside(parts)
    except MalformedError:
        return None
    return by_outside or _by_reading(content.reveal()[:end])


def _by_outside(parts: list[Element]) -> Form | None:
    """Keys (RFC 5958, 8017, 5915) and containers (RFC 7292, 5652) by the tags that they begin with.

    Raises :class:`~.ber.MalformedError`.
    """
    tags = tuple(each.tag for each in parts)
    if tags[:1] == (IDENTIFIER,):
        return Form.PKCS7_DER if parts[0].as_identifier() == _SIGNED_DATA else None
    if tags == (SEQUENCE, OCTETS):  # RFC 5958, section 3
        return Form.SEALED_KEY_DER
    if tags in _KEYS or tags[:2] == _KEYS[0]:
        return Form.KEY_DER
    is_pkcs12 = tags[:2] == (INTEGER, SEQUENCE) and parts[0].as_integer() == 3
    return Form.PKCS12 if is_pkcs12 else None


#: of EC, of RSA, and PKCS8
_KEYS = (
    (INTEGER, OCTETS),
    (INTEGER, INTEGER, INTEGER),
    (INTEGER, SEQUENCE, OCTETS),
)


def _by_reading(der: bytes) -> Form | None:
    try:
        Certificate(der)
    except MalformedError:
        pass
    else:
        return Form.CERTIFICATE_DER
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    for read, form in (
        (x509.load_der_x509_csr, Form.REQUEST),
        (load_der_public_key, Form.PUBLIC_KEY),
        (x509.load_der_x509_crl, Form.REVOCATIONS),
    ):
        with RefusalsIgnored():
            read(der)
            return form
    return None
