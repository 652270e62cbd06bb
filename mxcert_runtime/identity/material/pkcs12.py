"""Opens PKCS12 (RFC 7292): its keys and certificates, each as it was put in.

Where that fails, the reason is looked for in what is not encrypted, and said only as far as it is
certain. Errors are raised outside of ``except`` blocks, since the frames of a foreign exception
hold what was decrypted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ...base import Secret, dataclass
from ...errors import IdentityError, IdentityProblem
from .armour import without_armour
from .ber import MalformedError
from .certificate import Certificate
from .encryption import NotDecryptedError
from .key_derivation import MAX_ROUNDS_TRIED_AGAIN, Effort, TooMuchWorkError
from .passwords import EMPTY, GIVE_PASSWORD, MISSING, PasswordForm, forms_of
from .pkcs12_contents import Contents, UnsupportedEncryptionError, open_contents
from .pkcs12_structure import Structure, read_structure
from .private_key import KeyMaterial, checked_key

#: names of what is opened no more, or only where the build of OpenSSL has it
_NAMES = {
    "1.2.840.113549.1.12.1.1": "RC4-128",
    "1.2.840.113549.1.12.1.2": "RC4-40",
    "1.2.840.113549.1.5.3": "DES with MD5",
    "1.2.840.113549.1.5.10": "DES with SHA-1",
}
_CONVERT = (
    "Convert it: openssl pkcs12 -in old.pfx -legacy -nodes | openssl pkcs12 -export -out new.pfx"
)
_REPLACE = "Replace it by an undamaged copy"
_CORRECT = "Correct the password, or replace the file by an undamaged copy"


@dataclass(frozen=True)
class _Attempt:
    """What came of opening a file with one form of its password."""

    contents: Contents | None = None
    #: the MAC was made with this password
    is_proven: bool = False
    unsupported: str | None = None
    too_much: TooMuchWorkError | None = None


def open_pkcs12(
    content: Secret[bytes], password: Secret[str] | None, label: str
) -> tuple[tuple[KeyMaterial, ...], tuple[Certificate, ...]]:
    """The keys and the certificates in the order of the file; ``label`` is what errors call it.

    No password and an empty one are the same here: a file made with either opens. A password for
    a file that is not protected does no harm. Raises :class:`~..errors.IdentityError`.
    """
    return Pkcs12(content, password, label).open()


class Pkcs12:
    """A file whose outside has been read, and whose work has been counted.

    Raises :class:`~..errors.IdentityError` as :func:`open_pkcs12` does.
    """

    def __init__(self, content: Secret[bytes], password: Secret[str] | None, label: str) -> None:
        self._label = label
        self._effort = Effort()
        self._structure = _checked_structure(without_armour(content), self._effort, label)
        self._has_password = bool(password)
        self._forms = _forms(self._structure, password, label)

    def derivations(self) -> Iterator[Callable[[], None]]:
        """What may be done before :meth:`open`, in any thread, so that it takes less time."""
        sealed = [each.sealed for each in self._structure.bags if each.sealed]
        for each in (*self._structure.sealed, *sealed):
            if each.scheme is not None:
                yield partial(each.scheme.derive_ahead, self._forms[0])

    def open(self) -> tuple[tuple[KeyMaterial, ...], tuple[Certificate, ...]]:
        """The keys and the certificates in the order of the file."""
        attempt = _open(self._structure, self._forms, self._effort)
        if attempt.too_much:
            raise attempt.too_much.as_identity_error(self._label)
        if attempt.contents is None:
            raise _explain(self._structure, attempt, self._has_password, self._label)
        if not attempt.contents.keys:
            message = f"{self._label} holds no private key"
            raise IdentityError(IdentityProblem.NO_KEY, message, "Export it together with its key")
        return _usable(attempt.contents.keys, self._label), attempt.contents.certificates


def _usable(keys: tuple[KeyMaterial, ...], label: str) -> tuple[KeyMaterial, ...]:
    """The keys that can be a TLS client's; where none is, the error is that of the first."""
    usable = []
    for key in keys:
        try:
            usable.append(checked_key(key, f"the key in {label}"))
        except IdentityError:
            continue
    return tuple(usable) or (checked_key(keys[0], f"the key in {label}"),)


def _forms(
    structure: Structure, password: Secret[str] | None, label: str
) -> tuple[PasswordForm, ...]:
    given = forms_of(password, label) if password and structure.protected else ()
    # A MAC alone keeps nothing secret; writers of such files make it with no password.
    without = () if given and structure.encrypted else (MISSING, EMPTY)
    return (*given, *without)


def _checked_structure(content: Secret[bytes], effort: Effort, label: str) -> Structure:
    structure = _read_structure(content, effort)
    if isinstance(structure, TooMuchWorkError):
        raise structure.as_identity_error(label)
    if structure is None:
        raise _not_pkcs12(content, label)
    if structure.by_public_key:
        message = f"{label} is protected by a public key instead of a password"
        raise IdentityError(IdentityProblem.UNSUPPORTED, message, "Export it with a password")
    return structure


def _read_structure(content: Secret[bytes], effort: Effort) -> Structure | TooMuchWorkError | None:
    try:
        return read_structure(content, effort)
    except MalformedError:
        return None
    except TooMuchWorkError as error:
        return error.with_traceback(None)


def _open(structure: Structure, forms: tuple[PasswordForm, ...], effort: Effort) -> _Attempt:
    """The first attempt that opens it, else the one that says most."""
    attempts: list[_Attempt] = []
    for form in forms if effort.rounds <= MAX_ROUNDS_TRIED_AGAIN else forms[:2]:
        attempt = _attempt(structure, form, effort)
        if attempt.contents is not None or attempt.too_much:
            return attempt
        attempts.append(attempt)
    return max(attempts, key=lambda each: (each.is_proven, bool(each.unsupported)))


def _attempt(structure: Structure, form: PasswordForm, effort: Effort) -> _Attempt:
    fits = None if structure.mac is None else structure.mac.fits(structure.authenticated, form)
    if fits is False:
        return _Attempt()
    if fits is None and structure.mac is not None:
        return _Attempt(unsupported=f"its MAC by {structure.mac.algorithm}")
    try:
        return _Attempt(open_contents(structure, form, effort), bool(fits))
    except (NotDecryptedError, MalformedError):
        return _Attempt(None, bool(fits))
    except UnsupportedEncryptionError as error:
        used = " and ".join(_NAMES.get(name, name) for name in error.names)
        return _Attempt(None, bool(fits), f"its encryption by {used}")
    except TooMuchWorkError as error:
        return _Attempt(too_much=error.with_traceback(None))


def _not_pkcs12(content: Secret[bytes], label: str) -> IdentityError:
    from .mistaken_content import Wanted, mistaken

    error = mistaken(content, Wanted.PKCS12, label)
    if error is not None:
        return error
    message = f"{label} is damaged, or it is no PKCS12"
    return IdentityError(IdentityProblem.DAMAGED, message, _REPLACE)


def _explain(
    structure: Structure, attempt: _Attempt, has_password: bool, label: str
) -> IdentityError:
    if not structure.protected:
        message = f"{label} is damaged inside"
        return IdentityError(IdentityProblem.DAMAGED, message, _REPLACE)
    if attempt.is_proven:
        # Password and content are right, and what fails is what is done with them.
        why = "something in it is damaged inside, is not supported or has another password"
        if attempt.unsupported:
            why = f"{attempt.unsupported} is not in this build"
        message = f"{label} cannot be read although its password is right: {why}"
        return IdentityError(IdentityProblem.UNSUPPORTED, message, _CONVERT)
    if not has_password:
        message = f"{label} opens only with a password and none is given, or it is damaged"
        return IdentityError(IdentityProblem.PASSWORD_MISSING, message, GIVE_PASSWORD)
    if attempt.unsupported:
        message = f"{label} cannot be read: {attempt.unsupported} is not in this build"
        return IdentityError(IdentityProblem.UNSUPPORTED, message, _CONVERT)
    message = f"{label} does not open: the password is wrong or the file is damaged"
    return IdentityError(IdentityProblem.WRONG_PASSWORD_OR_DAMAGED, message, _CORRECT)
