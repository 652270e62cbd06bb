"""Opens PKCS12 (RFC 7292): one decryption for key and certificates together.

Where that fails, the reason is looked for in what is not encrypted, and said only as far as it is
certain. Errors are raised outside of ``except`` blocks, since the frames of a foreign exception
hold the password.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from ..errors import IdentityError, IdentityProblem
from ..secret import Secret
from .ber import MalformedError
from .pkcs12_structure import PBMAC1, Structure, mac_fits, read_structure
from .private_key import PrivateKey, checked_key, encode_password, refuse_rounds
from .refusal import RefusalsIgnored

#: encryption that OpenSSL 3 has in its legacy provider, which not every build can load
_LEGACY = {
    "1.2.840.113549.1.12.1.1": "RC4-128",
    "1.2.840.113549.1.12.1.2": "RC4-40",
    "1.2.840.113549.1.12.1.5": "RC2-128",
    "1.2.840.113549.1.12.1.6": "RC2-40",
    "1.2.840.113549.1.5.3": "DES with MD5",
    "1.2.840.113549.1.5.10": "DES with SHA-1",
}
#: not legacy, but forbidden where OpenSSL obeys FIPS 140
_OLD = {"1.2.840.113549.1.12.1.3": "3DES", "1.2.840.113549.1.12.1.4": "2DES", **_LEGACY}

_CONVERT = (
    "Convert it: openssl pkcs12 -in old.pfx -legacy -nodes | openssl pkcs12 -export -out new.pfx"
)
_REPLACE = "Replace it by an undamaged copy"


def open_pkcs12(
    content: Secret[bytes], password: Secret[str] | None, label: str
) -> tuple[PrivateKey, tuple[x509.Certificate, ...]]:
    """The key and the certificates, the likeliest leaf first; ``label`` is what errors call it.

    No password and an empty one are the same here: a file made with either opens. A password for
    a file that is not protected does no harm. Raises :class:`~..errors.IdentityError`.
    """
    structure = _checked_structure(content, label)
    encoded = encode_password(password, label) if structure.protected else None
    opened = _load(structure.content, encoded)
    if opened is None and encoded and not structure.encrypted:
        # A MAC alone keeps nothing secret; writers of such files make it with no password.
        opened = _load(structure.content, None)
    if opened is None:
        raise _explain(structure, encoded, label)
    if isinstance(opened, type):
        message = f"{label} is not in DER; cryptography warns of that, and warnings are errors here"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, _CONVERT)
    if opened.key is None:
        message = f"{label} holds no private key"
        raise IdentityError(IdentityProblem.NO_KEY, message, "Export it together with its key")
    return checked_key(opened.key, label), opened.certificates


def _checked_structure(content: Secret[bytes], label: str) -> Structure:
    """The structure of a file that is fit for OpenSSL."""
    structure = _read_structure(content)
    if structure is None:
        raise _not_pkcs12(content, label)
    if structure.by_public_key:
        message = f"{label} is protected by a public key instead of a password"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, "Export it with a password")
    refuse_rounds(structure.rounds, label)
    return structure


def _read_structure(content: Secret[bytes]) -> Structure | None:
    try:
        return read_structure(content)
    except MalformedError:
        return None


@dataclass(frozen=True)
class _Contents:
    key: object = field(repr=False)
    certificates: tuple[x509.Certificate, ...]


def _load(
    content: Secret[bytes], password: Secret[bytes] | None
) -> _Contents | type[Warning] | None:
    """``None`` where it does not open; ``Warning`` itself where a warning is an error."""
    with RefusalsIgnored():
        try:
            key, leaf, others = load_key_and_certificates(
                content.reveal(), password.reveal() if password else None
            )
            return _Contents(key, (*((leaf,) if leaf else ()), *others))
        except Warning:
            return Warning
    return None


def _not_pkcs12(content: Secret[bytes], label: str) -> IdentityError:
    if b"-----BEGIN " in content.reveal()[:4096]:
        message = f"{label} is PEM text, not PKCS12"
        remedy = "Name it as certificate and key, or convert it: openssl pkcs12 -export"
        return IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    if content.reveal().startswith(b"\xfe\xed\xfe\xed"):
        message = f"{label} is a Java keystore (JKS), not PKCS12"
        remedy = "Convert it: keytool -importkeystore -deststoretype PKCS12"
        return IdentityError(IdentityProblem.UNSUPPORTED, message, remedy)
    message = f"{label} is damaged, or it is no PKCS12"
    return IdentityError(IdentityProblem.DAMAGED, message, _REPLACE)


def _explain(structure: Structure, password: Secret[bytes] | None, label: str) -> IdentityError:
    if not structure.protected:
        message = f"{label} is damaged inside"
        return IdentityError(IdentityProblem.DAMAGED, message, _REPLACE)
    fits = mac_fits(structure, password)
    if fits:
        return _unsupported(structure, label)
    if password is None:
        message = f"{label} opens only with a password and none is given, or it is damaged"
        remedy = "Give its password in the settings"
        return IdentityError(IdentityProblem.PASSWORD_MISSING, message, remedy)
    doubts = "" if fits is False else "".join(f", or {x}" for x in _doubts(structure))
    message = f"{label} does not open: the password is wrong or the file is damaged{doubts}"
    remedy = "Correct the password, or replace the file by an undamaged copy"
    return IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, message, remedy)


def _unsupported(structure: Structure, label: str) -> IdentityError:
    """The MAC fits, so password and content are right, and what fails is what is done with them."""
    used = [_OLD[each] for each in structure.algorithms if each in _OLD]
    if used:
        why = f"its encryption by {' and '.join(used)} is not in this build of OpenSSL"
    else:
        why = "something in it is not supported by cryptography or has another password"
    message = f"{label} cannot be read although its password is right: {why}"
    return IdentityError(IdentityProblem.UNSUPPORTED, message, _CONVERT)


def _doubts(structure: Structure) -> list[str]:
    """What else may be the reason where no MAC can tell."""
    used = [_LEGACY[each] for each in structure.algorithms if each in _LEGACY]
    doubts = [f"this build of OpenSSL lacks {' and '.join(used)}"] if used else []
    if structure.mac is None:
        doubts.append("this release of cryptography cannot open files without a MAC")
    elif structure.mac.algorithm == PBMAC1:
        doubts.append("this build of OpenSSL lacks PBMAC1")
    return doubts
