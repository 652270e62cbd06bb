"""Activation by the import itself, in every program but the package's own command.

``mxcert`` reads settings to judge them, or as ``mxcert demo`` not at all: faults in them are its
subject, and must not end it before it has begun.
"""

from __future__ import annotations

from .autostart import is_own_script
from .callers import frames

#: what stands in the stack between this file and whoever imports the package
_IMPORT_FRAMES = ("mxcert_runtime", "importlib", "_frozen_importlib", "_frozen_importlib_external")


def activate_on_import() -> None:
    """Activate, unless this process is ``mxcert`` or ``python -m mxcert_runtime``.

    Raises :class:`~.errors.SettingsError` as activation does, and
    :class:`~.errors.SubinterpreterError` in an interpreter that cannot have the plugin.
    """
    if is_own_script() or _importer() == "runpy":
        return
    from .subinterpreter import explained_import

    with explained_import():
        from .activation import activate

    activate()


def _importer() -> str:
    """The module that imports the package, which is ``runpy`` for ``-m mxcert_runtime`` alone.

    Until ``-m`` has found its module, sys.argv does not tell which one it is (before Python 3.10
    nothing does). Another program that ``-m`` starts stands between runpy and this package.
    """
    # Whole names: a package of somebody else's may be called `mxcert_runtime_app`.
    names = (str(frame.f_globals.get("__name__", "")) for frame in frames())
    return next((name for name in names if name.partition(".")[0] not in _IMPORT_FRAMES), "")
