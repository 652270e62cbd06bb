"""Calls for libraries that are not imported yet, each at the end of its import."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from ..base import call_when_loaded, first_found, is_loading, spec_of_loaded

#: gets the module
Call = Callable[[ModuleType], None]


class LateLibraries:
    """The first among the finders, for the life of the process: who is called stays known."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        #: one for each name, so that a spec knows it again
        self._ends: dict[str, Callable[[], None]] = {}

    def call(self, name: str, call: Call) -> None:
        """Call once a module is loaded that is not there, before anybody else may have it."""
        self._calls[name] = call
        self._ends[name] = functools.partial(self._loaded, name)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the finders behind this one find."""
        self._see_what_has_begun()
        if name not in self._calls or name in sys.modules:
            return None
        finders = sys.meta_path
        behind = finders[finders.index(self) + 1 :] if self in finders else []
        spec = first_found(behind, name, path, target)
        if spec is None or call_when_loaded(spec, self._ends[name]):
            return spec
        return self._load(name)

    def _see_what_has_begun(self) -> None:
        """Watch what another thread had found before it was watched, and is loading by now."""
        for name in self._calls.keys() & sys.modules.keys():
            module = sys.modules.get(name)
            if module is not None and is_loading(module):
                call_when_loaded(module.__spec__, self._ends[name])

    def _loaded(self, name: str) -> None:
        module = sys.modules.get(name)
        if module is not None:  # else it could not be loaded, and may be another time
            self._calls.pop(name, _nothing)(module)

    def _load(self, name: str) -> ModuleSpec:
        """Of a loader that does not tell its end (zip files, in Python 3.9)."""
        call = self._calls.pop(name)
        try:
            module = importlib.import_module(name)
        except BaseException:
            self._calls[name] = call
            raise
        call(module)
        return spec_of_loaded(name, module)


def _nothing(module: ModuleType) -> None:
    """Another thread has called."""
