"""What is said of content that is something else than what its setting is for: what, what to do."""

from __future__ import annotations

from enum import Enum

from ...base import Secret
from ...errors import IdentityError, IdentityProblem
from .recognition import Form, Found, mangled, recognise


class Wanted(Enum):
    """What a setting is for; the value is the problem where the content is something else."""

    PKCS12 = IdentityProblem.UNSUPPORTED
    CERTIFICATES = IdentityProblem.NO_CERTIFICATE
    KEY = IdentityProblem.NO_KEY


_EXPORT = "openssl pkcs12 -export -in the.pem -inkey the.key -out new.pfx"
_FROM_DER = "openssl x509 -inform der -in old.cer -out the.pem"
_FROM_PKCS7 = "openssl pkcs7 -print_certs -in old.p7b -out the.pem"
#: `openssl pkcs7` reads no other label than its own
_FROM_CMS = "sed 's/ CMS-/ PKCS7-/' old.p7b | openssl pkcs7 -print_certs -out the.pem"
_FROM_PKCS7_DER = "openssl pkcs7 -inform der -print_certs -in old.p7b -out the.pem"
_FROM_KEY_DER = "openssl pkey -inform der -in old.key -out the.key"
#: which leaves no key in clear behind
_FROM_SEALED_KEY_DER = "openssl pkcs8 -topk8 -inform der -in old.key -out the.key"
_KEYSTORE = "keytool -importkeystore -srckeystore old.jks -destkeystore new.p12"
_THE_KEY = "Name the file that holds the private key as `key`"
_THE_CERTIFICATE = "Name the file that holds the certificate as `certificate`"
_BOTH = "Name certificate and key as `certificate` and `key` in the settings file, or make"
_BRING_KEY = "Ask for the .pfx, or bring it together with its key"

#: by what it is, whatever was wanted
_REMEDIES = {
    Form.JKS: f"Convert it: {_KEYSTORE} -deststoretype PKCS12",
    Form.JCEKS: f"Convert it: {_KEYSTORE} -srcstoretype JCEKS -deststoretype PKCS12",
    Form.ESCAPED: "Write real line breaks: printf '%b' \"$(cat old.pem)\" > new.pem",
    Form.QUOTED: "Take the quotes out, which are part of the text in a file",
    Form.UTF_16: "Save it as plain text, in ASCII or UTF-8",
    Form.MARKUP: "Fetch the file itself: a page was saved in its place, such as one with a login",
    Form.ARCHIVE: "Unpack it, and name the file that is in it",
    Form.REQUEST: "Name the certificate that the CA has issued for it",
    Form.PUBLIC_KEY: "Name the file that holds the certificate, or the private key",
    Form.REVOCATIONS: "Name the file that holds the certificate",
    Form.OTHER_PEM: "Name the file that holds the certificate, or the private key",
    Form.PKCS12: "Name it as `pkcs12`, in the place of `certificate` and `key`",
    Form.CERTIFICATE_PEM: _THE_KEY,
    Form.CERTIFICATE_DER: _THE_KEY,
    Form.KEY_PEM: _THE_CERTIFICATE,
    Form.KEY_DER: _THE_CERTIFICATE,
    Form.SEALED_KEY_DER: _THE_CERTIFICATE,
    Form.PKCS7_DER: f"{_BRING_KEY}: {_FROM_PKCS7_DER}, then {_EXPORT}",
    Form.PKCS7_PEM: f"{_BRING_KEY}: {_FROM_PKCS7}, then {_EXPORT}",
    Form.CMS_PEM: f"{_BRING_KEY}: {_FROM_CMS}, then {_EXPORT}",
    Form.BOTH_PEM: "Replace it by an undamaged copy",
}
#: where it depends on what was wanted
_SPECIAL = {
    (Form.CERTIFICATE_DER, Wanted.PKCS12): f"{_BRING_KEY}: {_FROM_DER}, then {_EXPORT}",
    (Form.CERTIFICATE_DER, Wanted.CERTIFICATES): f"Convert it: {_FROM_DER}",
    (Form.CERTIFICATE_PEM, Wanted.PKCS12): f"{_BOTH} a PKCS12 of both: {_EXPORT}",
    (Form.KEY_PEM, Wanted.PKCS12): f"{_BOTH} a PKCS12 of both: {_EXPORT}",
    (Form.KEY_DER, Wanted.PKCS12): f"{_BOTH} a PKCS12: {_FROM_KEY_DER}, then {_EXPORT}",
    (Form.SEALED_KEY_DER, Wanted.PKCS12): (
        f"{_BOTH} a PKCS12: {_FROM_SEALED_KEY_DER}, then {_EXPORT}"
    ),
    (Form.KEY_DER, Wanted.KEY): f"Convert it: {_FROM_KEY_DER}",
    (Form.SEALED_KEY_DER, Wanted.KEY): f"Convert it: {_FROM_SEALED_KEY_DER}",
    (Form.BOTH_PEM, Wanted.PKCS12): (
        "Name it as `certificate`, in the place of `pkcs12`, or convert it:"
        " openssl pkcs12 -export -in old.pem -out new.pfx"
    ),
    (Form.PKCS12, Wanted.CERTIFICATES): (
        "Name it as `pkcs12`, or take its certificates out:"
        " openssl pkcs12 -nokeys -in old.pfx -out the.pem"
    ),
    (Form.PKCS7_DER, Wanted.CERTIFICATES): f"Convert it: {_FROM_PKCS7_DER}",
    (Form.PKCS7_PEM, Wanted.CERTIFICATES): f"Convert it: {_FROM_PKCS7}",
    (Form.CMS_PEM, Wanted.CERTIFICATES): f"Convert it: {_FROM_CMS}",
    **{
        (form, Wanted.KEY): _THE_KEY
        for form in (
            Form.PKCS7_DER,
            Form.PKCS7_PEM,
            Form.CMS_PEM,
            Form.REQUEST,
            Form.PUBLIC_KEY,
            Form.REVOCATIONS,
        )
    },
}


def mistaken(content: Secret[bytes], wanted: Wanted, label: str) -> IdentityError | None:
    """The error of content that is known to be something else; ``label`` is what it calls it."""
    found = recognise(content)
    if found is None or (found == Found(Form.PKCS12) and wanted is Wanted.PKCS12):
        return None
    return IdentityError(wanted.value, _message(label, found, wanted), _remedy(found, wanted))


def refuse_mangled(content: Secret[bytes], wanted: Wanted, label: str) -> None:
    """Raise :class:`IdentityError` for PEM text of which OpenSSL would not read every block."""
    if mangled(content):
        error = mistaken(content, wanted, label)
        if error is not None:
            raise error


def _message(label: str, found: Found, wanted: Wanted) -> str:
    if wanted is Wanted.PKCS12:
        return f"{label} is {found}, not PKCS12"
    what = "certificate" if wanted is Wanted.CERTIFICATES else "private key"
    return f"{label} holds no PEM {what}: it is {found}"


def _remedy(found: Found, wanted: Wanted) -> str:
    remedy = _SPECIAL.get((found.form, wanted), _REMEDIES[found.form])
    if not found.layers:
        return remedy
    decode = f"Decode it{_TIMES.get(found.layers, ' three times')}, with base64 -d"
    return decode if found.form in _AS_WANTED[wanted] else f"{decode}; then: {remedy}"


_TIMES = {1: "", 2: " twice"}
_AS_WANTED = {
    Wanted.PKCS12: (Form.PKCS12,),
    Wanted.CERTIFICATES: (Form.CERTIFICATE_PEM, Form.BOTH_PEM),
    Wanted.KEY: (Form.KEY_PEM, Form.BOTH_PEM),
}
