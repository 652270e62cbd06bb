"""The bytes that a password may stand for in a file, the likeliest first.

PKCS12 derives keys from UTF-16 with two zero bytes behind it (RFC 7292, appendix B.1), everything
else from bytes (RFC 8018). Writers disagree about characters beyond ASCII: OpenSSL before 1.1 and
LibreSSL widen each byte of the terminal's encoding to a character (openssl-pkcs12(1), "NOTES"),
and the same letter can be one character or two (NFC and NFD of Unicode).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import field

from ...base import Secret, dataclass
from ...errors import IdentityError, IdentityProblem

#: what to do where there is none
GIVE_PASSWORD = (
    "Give its password: in ClientCertificatePasswords, or by `password_file` or `password_env` of"
    " the identity"
)


@dataclass(frozen=True)
class PasswordForm:
    """One reading of a password: as bytes, and as PKCS12 has it."""

    octets: Secret[bytes] = field(repr=False)
    utf_16: Secret[bytes] = field(repr=False)


#: PKCS12 tells a missing password from an empty one.
MISSING = PasswordForm(Secret(b""), Secret(b""))
EMPTY = PasswordForm(Secret(b""), Secret(b"\0\0"))


def forms_of(password: Secret[str], label: str) -> tuple[PasswordForm, ...]:
    """All readings of a password that is not empty; one alone where it is ASCII.

    Raises :class:`~..errors.IdentityError` with ``UNSUPPORTED`` for one that no file can have.
    """
    encodable = _is_encodable(password)
    # A NUL ends a password in OpenSSL, and newer releases of cryptography print it in a panic.
    if not encodable or "\0" in password.reveal():
        message = f"the password of {label} holds a NUL or a byte that is no UTF-8"
        remedy = "Correct the password; if it is right, export the file anew with another one"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    if password.reveal().isascii():
        return (_form_of(password),)
    spellings = (password, *(_normalized(name, password) for name in ("NFC", "NFD")))
    found = [form for spelling in spellings for form in _spelled(spelling)]
    return tuple(each for n, each in enumerate(found) if each not in found[:n])


def _spelled(password: Secret[str]) -> Iterator[PasswordForm]:
    yield _form_of(password)
    utf_8 = Secret(password.reveal().encode("utf-8"))
    yield PasswordForm(utf_8, _utf_16(Secret(utf_8.reveal().decode("latin-1"))))
    latin_1 = Secret(password.reveal().encode("latin-1", "ignore"))
    if latin_1.reveal().decode("latin-1") == password.reveal():
        yield PasswordForm(latin_1, _utf_16(password))


def _form_of(password: Secret[str]) -> PasswordForm:
    return PasswordForm(Secret(password.reveal().encode("utf-8")), _utf_16(password))


def _utf_16(password: Secret[str]) -> Secret[bytes]:
    return Secret(password.reveal().encode("utf-16-be") + b"\0\0")


def _normalized(name: str, password: Secret[str]) -> Secret[str]:
    return Secret(unicodedata.normalize(name, password.reveal()))  # type: ignore[arg-type]


def _is_encodable(password: Secret[str]) -> bool:
    try:
        password.reveal().encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
