"""The environment as OpenSSL reads it: the C library's, and none of it in a privileged process.

``os.environ`` is a copy that does not see what C code sets, and a process with a set-group-ID bit
or file capabilities (AT_SECURE, getauxval(3)) has variables that OpenSSL does not believe
(``ossl_safe_getenv`` in its crypto/getenv.c: secure_getenv(3) or issetugid(2)).
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from ..errors import MxcertError
from .environ import process_environ

_Read = Callable[[bytes], Any]


class UnknownEnvironmentError(MxcertError):
    """Nobody can tell what OpenSSL reads from the environment of this process."""


def _never(name: bytes) -> None:
    return None


@functools.cache
def _reader() -> _Read:
    """What OpenSSL reads a variable by, with a ``bytes`` name.

    Raises :class:`UnknownEnvironmentError`, which is not kept: `ctypes` may be half loaded just
    now, in a signal handler that has interrupted its import.
    """
    # An ImportError is of a Python that was built without libffi.
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes  # late: an activation asks for no variable of OpenSSL's

        # It holds the GIL, as Python does when it changes the environment itself.
        library = ctypes.PyDLL(None)
        read: Any = getattr(library, "secure_getenv", None)
        if read is None:
            if library.issetugid():
                return _never
            read = library.getenv
        read.argtypes, read.restype = [ctypes.c_char_p], ctypes.c_char_p
        found: _Read = read
        return found
    raise UnknownEnvironmentError("the C library does not tell what OpenSSL reads from it")


def openssl_variable(name: str) -> str | None:
    """The value that OpenSSL takes from a variable now; ``None``: it takes none.

    Raises :class:`UnknownEnvironmentError`.
    """
    if sys.platform == "win32":
        # There is no such privilege there, and Python sets the variables of C too.
        return process_environ().get(name)
    value = _reader()(os.fsencode(name))
    return None if value is None else os.fsdecode(value)
