"""The way to a key in a token: its module, the token, the PIN once, the key."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from typing import NoReturn

from ...base import ForkSafeLock, Secret, dataclass
from ...errors import IdentityError, IdentityProblem
from . import store
from .cryptoki import CryptokiError, Module, Token, module as load_module
from .provider import ensure_provider
from .uri import TokenUri

_PIN_INCORRECT, _PIN_LOCKED, _PIN_EXPIRED = 0xA0, 0xA4, 0xA3
#: CKR_PIN_INVALID and CKR_PIN_LEN_RANGE: one that no PIN of this token can be
_PIN_REFUSED = (_PIN_INCORRECT, 0xA1, 0xA2)
_GIVE_PIN = "Give its PIN: `pin_file`, `pin_env`, or `pin-source` in the URI"


@dataclass(frozen=True)
class Access:
    """A token that has been reached, and its module."""

    uri: TokenUri
    module_path: str
    module: Module
    token: Token


def reach(uri: TokenUri, module: str | None) -> Access:
    """The one token that a URI names.

    Raises :class:`~...errors.IdentityError`: ``UNSUPPORTED`` where this process can use none, and
    ``UNREADABLE`` where the token is not there.
    """
    path = ensure_provider(uri.module_path or module)
    library = _module(path)
    wanted = uri.of_token()
    there = _tokens(library, path)
    fitting = [each for each in there if _fits(each, wanted, uri.slot)]
    if len(fitting) == 1:
        return Access(uri, path, library, fitting[0])
    if fitting:
        message = f"{len(fitting)} tokens are what `{uri}` says"
        _refuse(IdentityProblem.UNREADABLE, message, "Add `serial=` to it")
    labels = ", ".join(repr(each.label) for each in there) or "none"
    message = f"the token of `{uri}` is not there; the module {path!r} has: {labels}"
    remedy = "Put the token in, correct the URI, or name the module of the token in `pkcs11_module`"
    _refuse(IdentityProblem.UNREADABLE, message, remedy)


def _module(path: str) -> Module:
    try:
        return load_module(path)
    except (OSError, CryptokiError, AttributeError) as error:
        reason = str(error)
    message = f"the PKCS#11 module {path!r} cannot be loaded: {reason}"
    remedy = "Name the module of the token in `pkcs11_module`, or install p11-kit"
    _refuse(IdentityProblem.UNSUPPORTED, message, remedy)


def _tokens(library: Module, path: str) -> list[Token]:
    try:
        return [each for each in library.tokens() if each.label or each.serial]
    except CryptokiError as error:
        reason = str(error)
    message = f"the PKCS#11 module {path!r} does not tell its tokens ({reason})"
    _refuse(IdentityProblem.UNREADABLE, message, "See whether its service runs, and its settings")


def _fits(token: Token, wanted: dict[str, str], slot: int | None) -> bool:
    names = {
        "token": token.label,
        "manufacturer": token.manufacturer,
        "serial": token.serial,
        "model": token.model,
    }
    is_same = all(names[name] == value for name, value in wanted.items())
    return is_same and slot in (None, token.slot)


def mechanism_numbers(path: str, token: Token) -> frozenset[int]:
    """What a token can do; nothing where it does not tell."""
    with contextlib.suppress(CryptokiError):
        return load_module(path).mechanisms(token.slot)
    return frozenset()


class _KnownPins:
    """PINs of tokens, by a hash whose key never leaves this process."""

    def __init__(self) -> None:
        self._key = Secret(secrets.token_bytes(32))
        self._known: set[bytes] = set()
        self._lock = ForkSafeLock()

    def _hash(self, token: Token, pin: Secret[str]) -> bytes:
        total = hmac.new(self._key.reveal(), digestmod="sha256")
        for part in (token.serial, token.label, token.model):
            total.update(hashlib.sha256(part.encode()).digest())
        total.update(hashlib.sha256(pin.reveal().encode()).digest())
        return total.digest()

    def holds(self, token: Token, pin: Secret[str]) -> bool:
        with self._lock:
            return self._hash(token, pin) in self._known

    def add(self, token: Token, pin: Secret[str]) -> None:
        with self._lock:
            self._known.add(self._hash(token, pin))


#: None is tried twice: after a few the token locks, and somebody has to bring it to life again.
_refused_pins = _KnownPins()
#: those that the provider is given, proven or not, and tries by itself
_given_pins = _KnownPins()
#: held while a PIN is tried, so that two threads do not try the same wrong one
_trying = ForkSafeLock()


def log_in(access: Access, pin: Secret[str] | None) -> None:
    """Prove the PIN, once; where this process is logged in already there is nothing to prove.

    Raises :class:`~...errors.IdentityError`: ``PASSWORD_MISSING``, or ``WRONG_PIN``.
    """
    token = access.token
    if not token.wants_pin or token.has_keypad:
        return
    with _trying:
        _log_in(access, pin)


def _log_in(access: Access, pin: Secret[str] | None) -> None:
    token = access.token
    if _is_logged_in(access):
        if pin:
            _given_pins.add(token, pin)
        return
    if not pin:
        message = f"the token {token.label!r} wants a PIN, and none is given"
        _refuse(IdentityProblem.PASSWORD_MISSING, message, _GIVE_PIN)
    _refuse_endangering(token, pin)
    try:
        access.module.try_pin(token.slot, pin)
    except CryptokiError as error:
        code = error.code
    else:
        _given_pins.add(token, pin)
        return
    if code in _PIN_REFUSED:
        _refused_pins.add(token, pin)
    message = f"the token {token.label!r} {_WORDS.get(code, f'refuses the login (CKR {code:#x})')}"
    remedy = "Correct the PIN, and start again: the same one is not tried a second time"
    _refuse(IdentityProblem.WRONG_PIN, message, remedy)


def log_in_again(access: Access, pin: Secret[str] | None) -> None:
    """Prove a PIN that the provider has, where the token has forgotten who is logged in.

    The provider has tried it by itself then, and a second wrong attempt is one too many. Raises
    as :func:`log_in` does.
    """
    token = access.token
    was_given = pin is not None and _given_pins.holds(token, pin)
    if pin and was_given and token.has_refused_a_pin and not _is_logged_in(access):
        _refused_pins.add(token, pin)
    log_in(access, pin)


def _is_logged_in(access: Access) -> bool:
    with contextlib.suppress(CryptokiError):
        return access.module.is_logged_in(access.token.slot)
    return False


def _refuse_endangering(token: Token, pin: Secret[str]) -> None:
    problem = None
    if _refused_pins.holds(token, pin):
        problem = "has refused this PIN before, and is not asked again"
    elif token.is_locked:
        problem = "is locked, since a wrong PIN was tried too often"
    elif token.has_one_try_left:
        problem = "would be locked by one more wrong PIN, so that this one is not tried"
    if problem:
        remedy = "Log in once with the tool of the token, which unlocks it or resets its counter"
        _refuse(IdentityProblem.WRONG_PIN, f"the token {token.label!r} {problem}", remedy)


_WORDS = {
    _PIN_INCORRECT: "says that the PIN is wrong",
    _PIN_LOCKED: "is locked, since a wrong PIN was tried too often",
    _PIN_EXPIRED: "says that the PIN has to be changed first",
    0xA1: "says that its PINs do not have such characters",
    0xA2: "says that its PINs do not have that length",
    0x102: "has no PIN yet",
}


def public_half(access: Access, pin: Secret[str] | None) -> bytes:
    """SubjectPublicKeyInfo of the one private key that the URI names.

    Raises :class:`~...errors.IdentityError` with ``NO_KEY``.
    """
    # The provider makes copies for its sessions, which are the same key.
    found = tuple(dict.fromkeys(store.public_halves(access.uri.of("private"), pin)))
    if len(found) == 1 and found[0] is not None:
        return found[0]
    label = access.token.label
    if len(found) > 1:
        message = f"{len(found)} private keys of the token {label!r} are what `{access.uri}` says"
        _refuse(IdentityProblem.NO_KEY, message, "Add `object=` or `id=` to it")
    if found:
        message = f"the token {label!r} does not tell the public key of `{access.uri}`"
        remedy = "Put the public key or the certificate into the token under the same id"
        _refuse(IdentityProblem.NO_KEY, message, remedy)
    message = f"the token {label!r} has no private key that is what `{access.uri}` says"
    remedy = (
        "Correct `object=` or `id=`; the key may also be of a kind that TLS does not use, or the"
        " token was put in after the program had started"
    )
    _refuse(IdentityProblem.NO_KEY, message, remedy)


def _refuse(problem: IdentityProblem, message: str, remedy: str) -> NoReturn:
    raise IdentityError(problem, message, remedy)
