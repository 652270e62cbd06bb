"""Where the log goes in a program that configures no logging, as ``MXCERT_LOG`` says.

A program that does configure it has the last word: standard error is then left to it, so that no
line shows twice. A file is written in any case.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..base import reason_of
from ..base.printable import printable
from ..errors import Fault, SettingsError
from ..settings import ORIGIN, LogSettings, unwritable

if TYPE_CHECKING:
    _Stream = logging.StreamHandler[Any]
else:
    _Stream = logging.StreamHandler  # takes no type before Python 3.11

_logger = logging.getLogger("mxcert_runtime")
_FORMAT = "%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s"

_handler: logging.Handler | None = None
_level: int = logging.NOTSET
_level_before: int = logging.NOTSET


def direct_log(settings: LogSettings | None) -> None:
    """Send the log where the settings say, in place of where it went; ``None`` undoes it all.

    Raises :class:`~.errors.SettingsError` where the file cannot be opened, and leaves all as it
    was.
    """
    global _handler, _level, _level_before
    handler = None if settings is None else _make_handler(settings)
    if _handler is not None:
        _logger.removeHandler(_handler)
        _handler.close()
        # Another level than ours was set by somebody since.
        if _logger.level == _level:
            _logger.setLevel(_level_before)
    _handler = handler
    if settings is None or handler is None:
        return
    handler.setFormatter(logging.Formatter(_FORMAT))
    _level, _level_before = getattr(logging, settings.level.name), _logger.level
    _logger.addHandler(handler)
    _logger.setLevel(_level)


class _Escaped:
    """An argument of a record; text and ``repr`` are made when they are asked for."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return printable(str(self._value))

    def __repr__(self) -> str:
        return printable(repr(self._value))


class _Escaping(logging.Filter):
    """Makes escapes of what does not print in a record, whichever handler it goes to.

    Servers name their issuers, and programs their hosts: a line break there would be a line of the
    log that nobody has written.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always logged."""
        if isinstance(record.msg, str):
            record.msg = printable(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_escaped, record.args))
        return True


def _escaped(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    return value if value is None or isinstance(value, (int, float)) else _Escaped(value)


# Of the logger itself, and for good: connections outlive a deactivation, and say how they end.
_logger.addFilter(_Escaping())


class _StandardError(_Stream):
    """Writes to what is standard error at that moment, unless the program handles the record."""

    def __init__(self) -> None:
        # Not StreamHandler's own, which keeps the stream that there is now.
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """``sys.stderr``, which programs put others in place of."""
        return sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, unless the program has a handler that gets it as well."""
        if not self._is_handled_elsewhere():
            super().emit(record)

    def _is_handled_elsewhere(self) -> bool:
        others = [handler for handler in _logger.handlers if handler is not self]
        root = logging.getLogger()
        return bool(others or (_logger.propagate and root.handlers))


def _make_handler(settings: LogSettings) -> logging.Handler:
    if settings.path is None:
        return _StandardError()
    # It brings sockets and pickling along, so only for those who want a file.
    from logging.handlers import WatchedFileHandler

    reason = ""
    try:
        with _pipe_with_reader(settings.path):
            # Goes on in a new file where somebody has moved this one away, as logrotate does.
            return WatchedFileHandler(settings.path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        reason = reason_of(error)
    raise SettingsError([Fault(str(ORIGIN), *unwritable(settings.path, reason))])


@contextlib.contextmanager
def _pipe_with_reader(path: str) -> Iterator[None]:
    """Holds a pipe open, if the path leads to one: what opens it meanwhile does not wait.

    Raises OSError where nobody reads from it, since a log must not stop a program that starts.
    """
    if not os.path.exists(path) or not stat.S_ISFIFO(os.stat(path).st_mode):
        yield
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        words = "it is a pipe from which nobody reads"
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, words) from None
        raise
    try:
        yield
    finally:
        os.close(descriptor)
