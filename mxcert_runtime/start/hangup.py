"""SIGHUP as the word that something has changed, in a program that has no handler of its own.

The handler does nothing but have the next connection look: it may interrupt anything.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..base import logger as _logger

if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # which makes no enumerations of its numbers


class Hangup:
    """Our handler, while settings ask for it; one that comes after it stays."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._is_told = False

    def listen(self) -> None:
        """Take SIGHUP, unless somebody has it, or it is ignored; then the log says so."""
        number = getattr(signal, "SIGHUP", None)
        if number is None:  # Windows
            self._tell(_logger.warning, "this system has no SIGHUP")
            return
        standing = signal.getsignal(number)
        if standing == self._handle:
            return
        if standing != signal.SIG_DFL:
            self._tell(_logger.info, "the program has a handler of its own, which stays")
            return
        self._set(number, self._handle)

    def stop(self) -> None:
        """Give SIGHUP back, if it is ours still."""
        self._is_told = False
        number = getattr(signal, "SIGHUP", None)
        if number is not None and signal.getsignal(number) == self._handle:
            self._set(number, signal.SIG_DFL)

    def _set(self, number: int, handler: Any) -> None:
        try:
            signal.signal(number, handler)
        except ValueError:  # not the main thread, or not the main interpreter
            self._tell(
                _logger.warning,
                "only the main thread can set a handler; import mxcert_runtime there, or call "
                "mxcert_runtime.reload()",
            )

    def _tell(self, log: Callable[[str, str], None], text: str) -> None:
        # Once, and not at each renewal.
        if not self._is_told:
            self._is_told = True
            log("sighup: %s", text)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._act()
