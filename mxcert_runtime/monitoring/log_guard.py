"""Keeps the log of this package from feeding on itself.

A log handler may make TLS connections, and what is logged about one of them goes to that handler
again. Two rules end this:

- Within a handler nothing is logged: by whatever logger's record it was called, in the thread that
  logs or in that of a ``QueueListener``.
- Where a handler leaves its connections to a thread or task that nobody can tell from those of the
  program, a line that says the same again is logged a few times a minute; the next one after that
  tells how many were left out. A chain of connections that each log a line ends there.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..base import loaded_module, logger as _logger

if TYPE_CHECKING:
    import logging

#: How often a line may be said within how many seconds.
REPEATS = 5
SECONDS = 60.0
#: Lines that are remembered; of those that were said longest ago nothing is known any more.
_LINES_LIMIT = 512
#: Functions around a method of ``logging`` that are looked through.
_WRAPPERS_LIMIT = 32

#: what runs while a record is handled, a method of a logger and one of a handler; ``None`` before
#: ``logging`` is loaded
_handling: tuple[Any, Any] | None = None


def is_in_log_handler() -> bool:
    """Whether a log handler has called, by way of whatever else, the running code."""
    global _handling
    if _handling is None:
        _handling = _find_handling()
    if _handling is None:
        return False
    by_logger, by_handler = _handling
    frame = sys._getframe(1)
    while frame.f_back is not None:
        code = frame.f_code
        if code is by_handler or code is by_logger:
            return True
        frame = frame.f_back
    return False


def _find_handling() -> tuple[Any, Any] | None:
    logging = loaded_module("logging")
    if logging is None or not hasattr(logging, "Handler"):  # the latter is a program's own
        return None
    by_logger, by_handler = map(_code_of, (logging.Logger.callHandlers, logging.Handler.handle))
    return by_logger, by_handler


def _code_of(function: Any) -> Any:
    """The code of a method, beneath what others have wrapped around it; ``None`` without any.

    The code of a decorator is that of all that it decorates, which are no handlers.
    """
    depth = 0
    while hasattr(function, "__wrapped__") and depth < _WRAPPERS_LIMIT:
        function, depth = function.__wrapped__, depth + 1
    return getattr(function, "__code__", None)


class _Repetition:
    """How often a line was said since a moment, and how often it was left out."""

    __slots__ = ("left_out", "said", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.said = self.left_out = 0


class LogGuard:
    """A filter for the logger of this package. Takes no lock: handlers may wait for each other."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._lines: OrderedDict[tuple[int, str], _Repetition] = OrderedDict()

    def restart(self) -> None:
        """Forget what was said."""
        self._lines = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log the record; one that tells of others that were left out says so."""
        return not is_in_log_handler() and self._may_be_said(record)

    def _may_be_said(self, record: logging.LogRecord) -> bool:
        line, now = (record.levelno, record.getMessage()), self._elapsed()
        repetition = self._lines.get(line)
        if repetition is None or now >= repetition.since + SECONDS:
            left_out = 0 if repetition is None else repetition.left_out
            repetition = self._remember(line, now)
            if left_out:
                record.msg, record.args = f"{line[1]} (and {left_out} times more since)", ()
        if repetition.said >= REPEATS:
            repetition.left_out += 1
            return False
        repetition.said += 1
        return True

    def _remember(self, line: tuple[int, str], now: float) -> _Repetition:
        lines = self._lines
        lines.pop(line, None)
        repetition = lines[line] = _Repetition(now)
        while len(lines) > _LINES_LIMIT:
            try:
                lines.popitem(last=False)
            except KeyError:  # another thread was faster
                break
        return repetition


_guard = LogGuard()


def guard_log() -> None:
    """Put the guard in place, once; what was said before counts no more."""
    _guard.restart()
    _logger.addFilter(_guard)


def unguard_log() -> None:
    """Take the guard away."""
    _logger.removeFilter(_guard)
