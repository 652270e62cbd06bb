"""The module of a token by its own interface (PKCS#11 2.40), as much as tells what is the matter.

OpenSSL's provider says nothing of why it finds no key. Here a PIN is tried once, before OpenSSL
gets it, so that a wrong one is known as such and costs one attempt of the few that a token allows.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator
from typing import Any

from ...base import Secret, dataclass

_ULONG, _BYTE, _POINTER = ctypes.c_ulong, ctypes.c_ubyte, ctypes.c_void_p
_OK, _ALREADY_LOGGED_IN, _ALREADY_INITIALIZED = 0x0, 0x100, 0x191
#: CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS
_USER_STATES = (1, 3)
_OS_LOCKING, _SERIAL_SESSION, _USER = 0x2, 0x4, 1
#: CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_CRYPTOKI_NOT_INITIALIZED: such as of a service that
#: was started again
_LOST = (0x30, 0x32, 0x190)
#: where the functions that are called stand in CK_FUNCTION_LIST
_PLACES = {
    "C_Initialize": (0, (_POINTER,)),
    "C_Finalize": (1, (_POINTER,)),
    "C_GetSlotList": (4, (_BYTE, _POINTER, _POINTER)),
    "C_GetTokenInfo": (6, (_ULONG, _POINTER)),
    "C_GetMechanismList": (7, (_ULONG, _POINTER, _POINTER)),
    "C_OpenSession": (12, (_ULONG, _ULONG, _POINTER, _POINTER, _POINTER)),
    "C_CloseSession": (13, (_ULONG,)),
    "C_GetSessionInfo": (15, (_ULONG, _POINTER)),
    "C_Login": (18, (_ULONG, _ULONG, ctypes.c_char_p, _ULONG)),
}
_LAST_PLACE = max(place for place, _ in _PLACES.values())


class CryptokiError(Exception):
    """A function of the module does not do its work; ``code`` is its CKR number."""

    def __init__(self, function: str, code: int) -> None:
        self.function, self.code = function, code
        super().__init__(function, code)

    def __str__(self) -> str:
        return f"{self.function}: CKR {self.code:#x}"


class _FunctionList(ctypes.Structure):
    _fields_ = (("version", _BYTE * 2), ("functions", _POINTER * (_LAST_PLACE + 1)))


class _InitializeArguments(ctypes.Structure):
    _fields_ = (("mutexes", _POINTER * 4), ("flags", _ULONG), ("reserved", _POINTER))


class _SessionInfo(ctypes.Structure):
    _fields_ = (("slot", _ULONG), ("state", _ULONG), ("flags", _ULONG), ("error", _ULONG))


class _TokenInfo(ctypes.Structure):
    _fields_ = (
        ("label", _BYTE * 32),
        ("manufacturer", _BYTE * 32),
        ("model", _BYTE * 16),
        ("serial", _BYTE * 16),
        ("flags", _ULONG),
        ("counts", _ULONG * 10),
        ("versions", _BYTE * 4),
        ("time", _BYTE * 16),
    )


@dataclass(frozen=True)
class Token:
    """A token that is in a slot now."""

    slot: int
    label: str
    manufacturer: str
    model: str
    serial: str
    flags: int

    @property
    def wants_pin(self) -> bool:
        """Whether it does nothing for whoever has not said a PIN."""
        return bool(self.flags & 0x4)

    @property
    def has_keypad(self) -> bool:
        """Whether the PIN is typed at the token itself."""
        return bool(self.flags & 0x100)

    @property
    def is_locked(self) -> bool:
        """Whether too many wrong PINs were tried."""
        return bool(self.flags & 0x40000)

    @property
    def has_refused_a_pin(self) -> bool:
        """Whether a wrong PIN was tried since the last right one, by whomever."""
        return bool(self.flags & 0x10000)

    @property
    def has_one_try_left(self) -> bool:
        """Whether one more wrong PIN locks it."""
        return bool(self.flags & 0x20000)


class Module:
    """A PKCS#11 module that is loaded and initialized in this process."""

    def __init__(self, path: str) -> None:
        """Raises OSError where it cannot be loaded, and :class:`CryptokiError`."""
        library = ctypes.CDLL(path)
        pointer = ctypes.POINTER(_FunctionList)()
        code = library.C_GetFunctionList(ctypes.byref(pointer))
        if code != _OK:
            raise CryptokiError("C_GetFunctionList", code)
        self._library, self._functions = library, pointer.contents.functions
        self._process = 0

    def _call(self, name: str, *arguments: Any) -> int:
        place, types = _PLACES[name]
        function = ctypes.CFUNCTYPE(_ULONG, *types)(self._functions[place])
        code: int = function(*arguments)
        return code

    def _require(self, name: str, *arguments: Any) -> None:
        code = self._call(name, *arguments)
        if code != _OK:
            raise CryptokiError(name, code)

    def initialize(self) -> None:
        """To be done again in a process that was forked; the provider may have done it."""
        if self._process != os.getpid():
            arguments = _InitializeArguments(flags=_OS_LOCKING)
            code = self._call("C_Initialize", ctypes.byref(arguments))
            if code not in (_OK, _ALREADY_INITIALIZED):
                raise CryptokiError("C_Initialize", code)
            self._process = os.getpid()

    def _begin_anew(self) -> None:
        """After this the provider opens sessions, and logs in, as if it had never done so."""
        self._call("C_Finalize", None)
        self._process = 0
        self.initialize()

    def _slots(self) -> list[int]:
        self.initialize()
        try:
            found = self._numbers("C_GetSlotList", 1)
        except CryptokiError as error:
            if error.code not in _LOST:
                raise
            found = []
        # A client of a service that was away looks for it once more, and nobody is using a token.
        if not found:
            self._begin_anew()
            found = self._numbers("C_GetSlotList", 1)
        return found

    def tokens(self) -> Iterator[Token]:
        """Each token that is there. Raises :class:`CryptokiError`."""
        for slot in self._slots():
            found = _TokenInfo()
            if self._call("C_GetTokenInfo", slot, ctypes.byref(found)) == _OK:
                yield Token(slot, *_texts(found), found.flags)

    def mechanisms(self, slot: int) -> frozenset[int]:
        """The numbers of what the token can do."""
        return frozenset(self._numbers("C_GetMechanismList", slot))

    def _numbers(self, name: str, first: int) -> list[int]:
        count = _ULONG()
        self._require(name, first, None, ctypes.byref(count))
        numbers = (_ULONG * max(count.value, 1))()
        self._require(name, first, numbers, ctypes.byref(count))
        return list(numbers[: count.value])

    def try_pin(self, slot: int, pin: Secret[str]) -> None:
        """Log in by the PIN, once; where this process is logged in already, nothing is tried.

        Raises :class:`CryptokiError`, such as CKR_PIN_INCORRECT (0xA0).
        """
        with self._session(slot) as session:
            code = self._login(session, pin)
        if code not in (_OK, _ALREADY_LOGGED_IN):
            raise CryptokiError("C_Login", code)

    def is_logged_in(self, slot: int) -> bool:
        """Whether this process is; it is so as a whole. Raises :class:`CryptokiError`."""
        with self._session(slot) as session:
            found = _SessionInfo()
            self._require("C_GetSessionInfo", session, ctypes.byref(found))
        return found.state in _USER_STATES

    @contextlib.contextmanager
    def _session(self, slot: int) -> Iterator[Any]:
        session = _ULONG()
        self._require("C_OpenSession", slot, _SERIAL_SESSION, None, None, ctypes.byref(session))
        try:
            yield session
        finally:
            self._call("C_CloseSession", session)

    def _login(self, session: Any, pin: Secret[str]) -> int:
        length = len(pin.reveal().encode())
        return self._call("C_Login", session, _USER, pin.reveal().encode(), length)


def _texts(found: _TokenInfo) -> tuple[str, str, str, str]:
    padded = (found.label, found.manufacturer, found.model, found.serial)
    label, manufacturer, model, serial = map(_text, padded)
    return label, manufacturer, model, serial


def _text(padded: Any) -> str:
    return bytes(padded).rstrip(b" \0").decode("utf-8", "replace")


@functools.cache
def module(path: str) -> Module:
    """The module at a path, loaded once; raises as :class:`Module` does."""
    return Module(path)
