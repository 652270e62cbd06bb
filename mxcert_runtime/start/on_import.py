"""Activation by the import itself, in every program but the package's own command.

``mxcert`` reads settings to judge them, or as ``mxcert demo`` not at all: faults in them are its
subject, and must not end it before it has begun.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import FrameType

#: What installers call the command; a script of somebody else's has another name, or a suffix.
_COMMAND_FILES = ("mxcert", "mxcert.exe", "mxcert-script.py")
#: what the code of the .pth file calls itself: :mod:`.autostart` activates later, and by itself
_AUTOSTART = "<autostart of mxcert_runtime>"
#: what stands in the stack between this file and whoever imports the package
_IMPORT_FRAMES = ("mxcert_runtime", "importlib", "_frozen_importlib", "_frozen_importlib_external")


def activate_on_import() -> None:
    """Activate, unless this process is ``mxcert`` or ``python -m mxcert_runtime``.

    Raises :class:`~.errors.SettingsError` as activation does, and
    :class:`~.errors.SubinterpreterError` in an interpreter that cannot have the plugin.
    """
    if is_own_script() or _importer() in ("runpy", _AUTOSTART):
        return
    from .subinterpreter import explained_import

    with explained_import():
        from .activation import activate

    activate()


def is_own_script() -> bool:
    """Whether this process is the installed script ``mxcert``."""
    # An interpreter that is embedded in another program need not have sys.argv.
    return any(os.path.basename(path) in _COMMAND_FILES for path in getattr(sys, "argv", ())[:1])


def _importer() -> str:
    """The module that imports the package, which is ``runpy`` for ``-m mxcert_runtime`` alone.

    Until ``-m`` has found its module, sys.argv does not tell which one it is (before Python 3.10
    nothing does). Another program that ``-m`` starts stands between runpy and this package.
    """
    # Whole names: a package of somebody else's may be called `mxcert_runtime_app`.
    return next(name for name in _callers() if name.partition(".")[0] not in _IMPORT_FRAMES)


def _callers() -> Iterator[str]:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    yield ""
