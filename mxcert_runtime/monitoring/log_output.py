"""Where the log goes in a program that configures no logging, as ``MXCERT_LOG`` says.

A program that does configure it has the last word: standard error is then left to it, so that no
line shows twice. A file is written in any case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base import logger as _logger
from ..base.printable import printable
from ..settings import LogSettings

if TYPE_CHECKING:
    import logging

_handler: logging.Handler | None = None
#: as numbers of ``logging``; 0 is none
_level = _level_before = 0


def direct_log(settings: LogSettings | None) -> None:
    """Send the log where the settings say, in place of where it went; ``None`` undoes it all.

    Raises :class:`~.errors.SettingsError` where the file cannot be opened, and leaves all as it
    was.
    """
    global _handler, _level, _level_before
    handler = None if settings is None else _made(settings)
    if _handler is not None:
        _logger.removeHandler(_handler)
        _handler.close()
        # Another level than ours was set by somebody since.
        if _logger.level == _level:
            _logger.setLevel(_level_before)
    _handler = handler
    if settings is None or handler is None:
        return
    _level_before = _logger.level
    _logger.addHandler(handler)
    _logger.setLevel(settings.level.name)
    _level = _logger.level


def _made(settings: LogSettings) -> logging.Handler:
    from .log_handlers import make_handler  # late: it loads `logging`

    return make_handler(settings)


class _Escaped:
    """An argument of a record; text and ``repr`` are made when they are asked for."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return printable(str(self._value))

    def __repr__(self) -> str:
        return printable(repr(self._value))


class _Escaping:
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
