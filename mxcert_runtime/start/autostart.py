"""Activation where ``MXCERT_AUTOSTART=1`` asks for it, in an interpreter that has just started.

The ``.pth`` file beside the package calls :func:`begin`. From then on the interpreter either runs
with identities or ends: no failure may let it run on without them. It ends by ``os._exit``, since
``site`` swallows exceptions that a ``.pth`` file raises, and calls SystemExit a fatal error. One of
several interpreters of a process does not end it: it runs on, and makes no TLS connection.
"""

from __future__ import annotations

import os
import sys

from ..base.environ import process_environ
from ..settings import names, presence
from .import_watch import ImportWatch
from .on_import import is_own_script

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import NoReturn

#: the exit status where settings cannot be used: EX_CONFIG of sysexits.h, which Windows lacks
EXIT_STATUS = 78
_INTERRUPTED = 130

_NO_SETTINGS = f"""\
{names.AUTOSTART}=1 is set, but there are no settings, so this program would run without identities.
  Set {names.CERTIFICATES} or {names.CONFIG}, or unset {names.AUTOSTART}."""
_FAILED = f"{names.AUTOSTART}=1 is set, but the plugin cannot start; see above."

#: what site imports at its end, whether it is there or not
_LAST_OF_SITE = "sitecustomize"

#: what ``-m`` calls it
_PACKAGE = "mxcert_runtime"

_has_begun = False


def begin() -> None:
    """Activate before the first line of the program, once ``sys.path`` is complete.

    Nothing happens with ``MXCERT_DISABLE=1``, nor in ``mxcert`` itself. Python goes through
    the ``.pth`` files of a virtual environment twice, so a second call does nothing.
    """
    global _has_begun
    if _has_begun or presence.is_disabled(process_environ()) or _is_own_command():
        return
    _has_begun = True
    if not _site_is_at_work():
        _activate_when_complete()
    elif _LAST_OF_SITE in sys.modules:
        _activate_or_end()
    else:
        # Dependencies may be in a folder that site only comes to later: the system's, below this
        # virtual environment or below /usr/local.
        ImportWatch(_is_end_of_site, _activate_or_end).start()


def _is_end_of_site(name: str) -> bool:
    """Whether that import is the one with which ``site`` always ends, or one after that."""
    return name == _LAST_OF_SITE or not _site_is_at_work()


def _site_is_at_work() -> bool:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "main" and frame.f_globals.get("__name__") == "site":
            return True
        frame = frame.f_back
    return False


def _activate_when_complete() -> None:
    """Activate in a program that adds site folders by itself, and may have more of them to add."""
    from .added_folders import FolderWait, is_complete

    if is_complete():
        _activate_or_end()
    else:
        FolderWait(_activate_or_end).start()


def _activate_or_end() -> None:
    try:
        _activate()
    except BaseException as error:
        from .subinterpreter import is_subinterpreter, refuse_connections

        if not is_subinterpreter():
            _end_by(error)
        refuse_connections(error)


def _activate() -> None:
    from .activation import activate, is_active

    activate()
    if not is_active():
        raise _NoSettingsError(_NO_SETTINGS)


class _NoSettingsError(Exception):
    """Identities are asked for, and there are none."""


def _end_by(error: BaseException) -> NoReturn:
    try:
        if isinstance(error, KeyboardInterrupt):
            os._exit(_INTERRUPTED)
        from ..errors import MxcertError

        if isinstance(error, (MxcertError, _NoSettingsError)):
            _end(str(error))
        sys.__excepthook__(type(error), error, error.__traceback__)
        _end(_FAILED)
    finally:
        os._exit(EXIT_STATUS)


def _end(text: str) -> NoReturn:
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"mxcert_runtime: {text}\n")
            sys.stderr.flush()
    finally:
        os._exit(EXIT_STATUS)


def _is_own_command() -> bool:
    return is_own_script() or _is_own_module()


def _is_own_module() -> bool:
    """Whether ``-m mxcert_runtime`` started this interpreter."""
    # While site runs, sys.argv holds "-m" and what follows the module, but not the module.
    if getattr(sys, "argv", [""])[:1] != ["-m"]:
        return False
    original = _original_arguments()
    module = original[len(original) - len(sys.argv)]
    # It may be written behind the letter, as in -mjson or -Imjson.
    return (module.partition("m")[2] if module.startswith("-") else module) == _PACKAGE


def _original_arguments() -> Sequence[str]:
    known: Sequence[str] | None = getattr(sys, "orig_argv", None)
    if known is not None:
        return known
    # Before Python 3.10 nothing else tells.
    import ctypes

    count, values = ctypes.c_int(), ctypes.POINTER(ctypes.c_wchar_p)()
    ctypes.pythonapi.Py_GetArgcArgv(ctypes.byref(count), ctypes.byref(values))
    return values[: count.value]
