"""The logger of this package, which loads ``logging`` only once somebody can see a record.

To load it takes as long as to read the settings. Where nobody has loaded it nobody has a handler
or has set a level: then warnings and errors go to standard error (``logging.lastResort``), and are
what loads it; all below is seen by nobody. From the moment that the program loads it every record
goes there, through the filters that were given before.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .module_loading import loaded_module

NAME = "mxcert_runtime"
#: as ``logging`` has them
DEBUG, _WARNING = 10, 30


def _unseen(*told: object) -> None:
    """What becomes of a record that nobody can see."""


def _is_seen(level: int) -> bool:
    return level >= _WARNING


#: what stands for methods of the logger while nobody has loaded ``logging``
_UNLOADED = {"debug": _unseen, "info": _unseen, "isEnabledFor": _is_seen}


class _Logger:
    """Has the attributes of the ``logging.Logger``, whose own methods are what is called."""

    def __init__(self) -> None:
        self._filters: list[Any] = []
        self._real: Any = None

    def __getattr__(self, name: str) -> Any:
        real = self._loaded()
        if real is None and name in _UNLOADED:
            return _UNLOADED[name]
        real = real or self._load()
        return _unseen if real is None else getattr(real, name)

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
        with suppress(ImportError):  # the interpreter comes to its end
            import logging  # noqa: F401 (late: see above)
        # None where a signal handler has interrupted this very import, or it was another module.
        return self._loaded()


if TYPE_CHECKING:
    import logging

    logger: logging.Logger
else:
    logger = _Logger()
