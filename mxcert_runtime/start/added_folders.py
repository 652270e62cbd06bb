"""Waits for the dependencies where a program adds its site folders by itself, one after another.

pex does: the ``.pth`` file is read while most wheels are not on ``sys.path`` yet. The wait ends
with the first import after whoever adds folders has returned, or has added all that is needed; and
no TLS connection is made before it has ended.
"""

from __future__ import annotations

import contextlib
import sys
import threading

from ..base.environ import process_environ
from ..settings import names
from .import_watch import ImportWatch, find_unwatched

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from .connection_gate import ConnectionGate

#: Every top-level module that an activation imports and Python does not bring. One too many here
#: makes the wait longer; one that is missing can make the activation fail.
NEEDED = (
    "_cffi_backend",
    "cryptography",
    "OpenSSL",
    "wrapt",
    *(() if sys.version_info >= (3, 11) else ("tomli",)),
    *(() if sys.version_info >= (3, 13) else ("typing_extensions",)),
)
_FOR_YAML = ("yaml",)
#: makes connections by itself, so that the wait is over when it is imported
_OTHER_ENGINE = "OpenSSL"
#: stand between whoever adds a folder and this module
_BETWEEN = ("site", "<autostart of mxcert_runtime>")


def is_complete() -> bool:
    """Whether every dependency can be imported, told without importing any."""
    file = process_environ().get(names.CONFIG, "")
    needed = NEEDED + (_FOR_YAML if file.endswith((".yaml", ".yml")) else ())
    return all(name in sys.modules or find_unwatched(name) for name in needed)


class FolderWait:
    """Calls ``act`` once: when the folders are there, or when a connection can wait no longer."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._is_over = False
        self._lock = threading.RLock()
        self._thread = threading.get_ident()
        self._adding = next(_foreign_frames(), None)
        self._gate: ConnectionGate | None = None
        self._end = ImportWatch(self._is_due, self.finish)
        self._ssl = ImportWatch("ssl".__eq__, self._close_gate)

    def start(self) -> None:
        """Look at every import, and stand before every connection."""
        if "ssl" in sys.modules:
            self._close_gate()
        else:
            self._ssl.start()
        self._end.start()

    def finish(self) -> None:
        """End the wait, whatever is there."""
        # Whoever comes meanwhile waits for the end of it.
        with self._lock:
            if self._is_over:
                return
            self._end.stop()
            self._ssl.stop()
            # What other threads connect while this one acts would go without its identity.
            if self._gate is None:
                with contextlib.suppress(ImportError):  # without `ssl` nobody connects
                    self._close_gate()
            self._is_over = True
            try:
                self._act()
            finally:
                if self._gate is not None:
                    self._gate.open()

    def _is_due(self, name: str) -> bool:
        return name == _OTHER_ENGINE or self._has_returned() or is_complete()

    def _has_returned(self) -> bool:
        """Whether the function that added the folder has come to its end."""
        if threading.get_ident() != self._thread:
            return False
        if self._adding is None:  # it was a program in C
            return not any(frame.f_globals.get("__name__") == "site" for frame in _frames())
        return self._adding not in _frames()

    def _close_gate(self) -> None:
        from .connection_gate import ConnectionGate

        with self._lock:
            # That import has been seen as well.
            if not self._is_over:
                self._gate = ConnectionGate(self.finish)
                self._gate.close()


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _foreign_frames() -> Iterator[FrameType]:
    for frame in _frames():
        name = str(frame.f_globals.get("__name__", ""))
        if name not in _BETWEEN and name.partition(".")[0] != "mxcert_runtime":
            yield frame
