"""The handlers that ``MXCERT_LOG`` asks for: one for standard error, one for a file.

They are of ``logging``, which is loaded for them.
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

from ..base import logger as _logger, reason_of
from ..errors import Fault, SettingsError
from ..settings import ORIGIN, LogSettings, unwritable

if TYPE_CHECKING:
    _Stream = logging.StreamHandler[Any]
else:
    _Stream = logging.StreamHandler  # takes no type before Python 3.11

_FORMAT = "%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s"


def make_handler(settings: LogSettings) -> logging.Handler:
    """The handler for these settings, with its format.

    Raises :class:`~.errors.SettingsError` where the file cannot be opened.
    """
    handler = _StandardError() if settings.path is None else _file_handler(settings.path)
    handler.setFormatter(logging.Formatter(_FORMAT))
    return handler


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


def _file_handler(path: str) -> logging.Handler:
    # It brings sockets and pickling along, so only for those who want a file.
    from logging.handlers import WatchedFileHandler

    reason = ""
    try:
        with _pipe_with_reader(path):
            # Goes on in a new file where somebody has moved this one away, as logrotate does.
            return WatchedFileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        reason = reason_of(error)
    raise SettingsError([Fault(str(ORIGIN), *unwritable(path, reason))])


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
