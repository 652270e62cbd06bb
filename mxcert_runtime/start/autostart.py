"""What the ``.pth`` file calls where ``MXCERT_AUTOSTART=1`` asks for it: waits for TLS.

From the first import of TLS on the interpreter either runs with identities or ends
(:mod:`.asked_for`). Until then it has cost no more than this file: nothing here imports anything
that a bare interpreter has not loaded.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock, get_ident

from ..base import process_environ
from .callers import frames, site_is_at_work
from .finders import call_without_import_lock, come_first

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, FrameType, ModuleType

    from .first_tls import FirstTls

#: as :mod:`..settings.names` has it, which is not loaded for this
_DISABLE = "MXCERT_DISABLE"
#: What installers call the command; a script of somebody else's has another name, or a suffix.
_COMMAND_FILES = ("mxcert", "mxcert.exe", "mxcert-script.py")
#: what ``-m`` calls it
_PACKAGE = "mxcert_runtime"
#: stand between whoever adds a folder and this module
_BETWEEN = ("site", "<autostart of mxcert_runtime>")
#: what TLS is, what dials for it, and what makes other interpreters (of which one can have it)
_AWAITED = ("ssl", "_ssl", "OpenSSL.SSL", "socket", "_interpreters", "_xxsubinterpreters")
#: parts of this package that import ``ssl`` themselves, and must not be half loaded when it acts
_OWN = tuple(
    f"mxcert_runtime.{name}"
    for name in (
        *("connections", "contexts", "decisions", "diagnosis", "hooks", "identity"),
        *("monitoring", "start.activation", "start.reloading"),
    )
)
#: parts that programs import, and an activation never does
_USERS = ("mxcert_runtime.prometheus", "mxcert_runtime.telemetry")
_PARTS = (*_OWN, *_USERS)

_BORROWED_RIGHTS = (
    "this program has rights that whoever started it does not have (setuid, setgid), and their "
    "environment names settings, which may run commands. Unset MXCERT_AUTOSTART for this program"
)

_begun: Begun | None = None


def begin() -> None:
    """Activate as soon as the program imports TLS, before anybody has it.

    Nothing happens with ``MXCERT_DISABLE=1``, nor in ``mxcert`` itself. Python goes through
    the ``.pth`` files of a virtual environment twice, so a second call does nothing.

    Raises ``PermissionError`` in a program with rights that its user does not have.
    """
    global _begun
    if _begun or process_environ().get(_DISABLE) == "1" or _is_own_command():
        return
    if _has_borrowed_rights():
        raise PermissionError(_BORROWED_RIGHTS)
    _begun = Begun()
    sys.meta_path.insert(0, _begun)
    # These may be there already; `ssl` without `socket` where a thread is still loading it.
    if "socket" in sys.modules or "ssl" in sys.modules:
        _begun.wait_for_tls()


def _has_borrowed_rights() -> bool:
    """Whether the user who started this program lacks the rights that it has."""
    if not hasattr(os, "getuid") or os.getuid() == 0:  # root has taken on those of somebody else
        return False
    return os.getuid() != os.geteuid() or os.getgid() != os.getegid()


def catch_up() -> None:
    """Activate now where that waits for TLS: whoever asks the plugin itself waits no longer."""
    if _begun is not None:
        _begun.wait_for_tls().catch_up()


class Begun:
    """A start of the plugin, and who adds folders to ``sys.path`` at that moment.

    It is the first among the finders until something is imported that TLS has to do with, and
    stays among them: see :mod:`.import_watch`.
    """

    mxcert_only_watches = True

    def __init__(self) -> None:
        self.thread = get_ident()
        self.is_by_site = site_is_at_work()
        adding = next(_foreign_frames(), None)
        # The frame itself would keep alive all that the function has to its end.
        self.adding: CodeType | None = adding and adding.f_code
        self._waiting: FirstTls | None = None
        self._lock = RLock()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find nothing, but leave what is awaited to who watches it."""
        if self._waiting is not None and self._waiting.is_done:
            return None
        is_own = name.startswith(f"{_PACKAGE}.")
        if name.startswith(_PARTS) if is_own else name in _AWAITED or "ssl" in sys.modules:
            waiting = call_without_import_lock(self.wait_for_tls)
            return waiting.find_spec(name, path, target)
        if self._waiting is None:
            come_first(self)
        return None

    def wait_for_tls(self) -> FirstTls:
        """Have every import watched by who knows what to do at that of TLS."""
        with self._lock:
            waiting, self._waiting = self._waiting, self._waiting or self._make()
        # Not under the lock: it may act, which takes its time.
        if waiting is None:
            self._waiting.start()
        return self._waiting

    def _make(self) -> FirstTls:
        from .added_folders import Folders
        from .asked_for import activate_or_end, end_by
        from .first_tls import FirstTls

        folders = Folders(self.thread, self.is_by_site, self.adding)
        return FirstTls(activate_or_end, folders.are_complete, _OWN, end_by, _USERS)


def _foreign_frames() -> Iterator[FrameType]:
    for frame in frames():
        name = str(frame.f_globals.get("__name__", ""))
        if name not in _BETWEEN and name.partition(".")[0] != _PACKAGE:
            yield frame


def is_own_script() -> bool:
    """Whether this process is the installed script ``mxcert``."""
    # An interpreter that is embedded in another program need not have sys.argv.
    return any(os.path.basename(path) in _COMMAND_FILES for path in getattr(sys, "argv", ())[:1])


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
