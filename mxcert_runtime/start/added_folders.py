"""Whether all that an activation imports can be imported, and who may still see to it.

``site`` comes to some folders only after the one with the ``.pth`` file: the system's, below a
virtual environment or below /usr/local. pex adds its folders by itself, one after another, while
most wheels are not on ``sys.path`` yet.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from ..base import process_environ
from ..settings import names
from .callers import frames, site_is_at_work
from .import_watch import find_unwatched

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

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
#: what site imports at its end, whether it is there or not
_LAST_OF_SITE = "sitecustomize"


def is_complete() -> bool:
    """Whether every dependency can be imported, told without importing any."""
    file = process_environ().get(names.CONFIG, "")
    needed = NEEDED + (_FOR_YAML if file.endswith((".yaml", ".yml")) else ())
    return all(name in sys.modules or find_unwatched(name) for name in needed)


class Folders:
    """Tells at an import whether all folders are there.

    ``thread`` is the one in which the ``.pth`` file was read, ``is_by_site`` whether ``site``
    itself did that, and ``adding`` whose function did it else.
    """

    def __init__(self, thread: int, is_by_site: bool, adding: CodeType | None) -> None:
        self._thread = thread
        self._is_by_site = is_by_site
        self._adding = adding

    def are_complete(self, name: str) -> bool:
        """Whether nobody adds folders any more, or all that is needed is there; at an import."""
        if self._is_by_site:
            is_past = name == _LAST_OF_SITE or _LAST_OF_SITE in sys.modules
            return is_past or not site_is_at_work() or is_complete()
        return self._has_returned() or is_complete()

    def _has_returned(self) -> bool:
        """Whether the function that added the folder has come to its end."""
        if get_ident() != self._thread:
            return False
        if self._adding is None:  # it was a program in C
            return not any(frame.f_globals.get("__name__") == "site" for frame in frames())
        return self._adding not in (frame.f_code for frame in frames())
