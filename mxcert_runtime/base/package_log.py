"""The logger of this package, which never loads ``logging`` for a record.

To load it takes as long as to read the settings, and a record may come where it cannot be loaded:
in a child that was forked while a thread of its parent was loading it, in a signal handler, at the
end of the interpreter or of the stack. Where nobody has loaded it nobody has a handler or has set a
level: then warnings and errors go to standard error, as ``logging.lastResort`` has it, and all
below is seen by nobody. From the moment that the program has loaded it every record goes there. In
both cases it goes through the filters that were given.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from .module_loading import loaded_module

NAME = "mxcert_runtime"
#: as ``logging`` has them
DEBUG, _WARNING, _ERROR = 10, 30, 40


class _Record:
    """What filters see and change of a record, as :class:`logging.LogRecord` has it."""

    def __init__(self, level: int, message: str, arguments: tuple[object, ...]) -> None:
        self.levelno, self.msg, self.args = level, message, arguments

    def getMessage(self) -> str:
        """The line that is told."""
        return self.msg % self.args if self.args else self.msg


def _unseen(*told: object) -> None:
    """What becomes of a record that nobody can see."""


def _is_seen(level: int) -> bool:
    return level >= _WARNING


class _Logger:
    """Has the attributes of the ``logging.Logger``, whose own methods are what is called."""

    def __init__(self) -> None:
        self._filters: list[Any] = []
        self._real: Any = None
        #: what stands for methods of the logger while nobody has loaded ``logging``
        self._unloaded = {
            "debug": _unseen,
            "info": _unseen,
            "warning": partial(self._tell, _WARNING),
            "error": partial(self._tell, _ERROR),
            "isEnabledFor": _is_seen,
        }

    def __getattr__(self, name: str) -> Any:
        real = self._loaded()
        if real is None and name in self._unloaded:
            return self._unloaded[name]
        real = real or self._load()
        return _unseen if real is None else getattr(real, name)

    def _tell(self, level: int, message: str, *arguments: object) -> None:
        record = _Record(level, message, arguments)
        if all(each.filter(record) for each in self._filters):
            # Programs may have closed it, or have none.
            with suppress(Exception):
                sys.stderr.write(f"{record.getMessage()}\n")
                sys.stderr.flush()

    def addFilter(self, one: Any) -> None:
        """Add it, now or when ``logging`` is loaded."""
        self._filters = [*self._filters, one]
        if self._loaded() is not None:
            self._real.addFilter(one)

    def removeFilter(self, one: Any) -> None:
        """Remove it."""
        self._filters = [each for each in self._filters if each is not one]
        if self._loaded() is not None:
            self._real.removeFilter(one)

    def _loaded(self) -> Any:
        if self._real is None:
            logging = loaded_module("logging")
            # A program may have a module of that name that is not the standard library's.
            if logging is not None and hasattr(logging, "getLogger"):
                real = logging.getLogger(NAME)
                for each in self._filters:
                    real.addFilter(each)
                self._real = real
                # Every connection asks for it. Any other is looked up: programs put others there.
                self.isEnabledFor = real.isEnabledFor
        return self._real

    def _load(self) -> Any:
        # For whoever asks for more than to log, such as to have a handler.
        with suppress(ImportError):  # the interpreter comes to its end
            import logging  # noqa: F401 (late: see above)
        return self._loaded()


if TYPE_CHECKING:
    import logging

    logger: logging.Logger
else:
    logger = _Logger()
