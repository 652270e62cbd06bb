"""Modules as importlib loads them: whether one is loading, a call at the end, one that is there.

importlib writes on a module's spec that it is being loaded, and takes that back at the end. Until
then every other thread that imports the module waits. Nothing here imports anything, unless a
finder is of the old kind.
"""

from __future__ import annotations

import sys
from _thread import get_ident

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any
else:
    ModuleSpec = type(sys.__spec__)

#: what importlib sets on a spec while its module is being loaded, and what C reads there
_LOADING = "_initializing"
#: what stands there, of which thread, while those are called who wait for the end
_ENDED = "_mxcert_ended"


def is_kept(module: ModuleType) -> bool:
    """Whether other threads still wait for a module: it is loading, or its end is being told."""
    return bool(getattr(getattr(module, "__spec__", None), _LOADING, False))


def is_loading(module: ModuleType) -> bool:
    """Whether the code of a module has begun and not ended."""
    return is_kept(module) and not hasattr(module.__spec__, _ENDED)


def loaded_module(name: str) -> Any | None:
    """A module that is there as a whole; none that another thread is importing just now."""
    module = sys.modules.get(name)
    return None if module is None or is_loading(module) else module


def call_when_loaded(spec: ModuleSpec | None, call: Callable[[], None]) -> bool:
    """Call once at the end of the load that a spec is for, be it begun or not, also if it fails.

    The call comes in the thread that loads the module, which others still wait for. ``False`` where
    a spec cannot tell of its load.
    """
    if spec is None or not hasattr(spec.loader, "exec_module"):
        return False
    if type(spec) is ModuleSpec:
        spec.__class__ = _WatchedSpec
    if not isinstance(spec, _WatchedSpec):
        return False
    waiting = vars(spec).setdefault(_WatchedSpec.CALLS, [])
    if call not in waiting:
        waiting.append(call)
    return True


def drop_call(spec: ModuleSpec | None, call: Callable[[], None]) -> bool:
    """Drop a call that has not come; ``False`` where it comes, or came."""
    try:
        vars(spec)[_WatchedSpec.CALLS].remove(call)
    except (KeyError, ValueError):
        return False
    return True


def end_load(module: ModuleType) -> None:
    """Let others have a module whose code has ended, though the thread of its load has not.

    In a child of a fork that thread may be missing, and an import would wait for it for ever.
    """
    spec = getattr(module, "__spec__", None)
    if getattr(spec, _ENDED, get_ident()) != get_ident():
        delattr(spec, _ENDED)
        setattr(spec, _LOADING, False)


class _WatchedSpec(ModuleSpec):
    """A spec that tells when its module is loaded, and is an ordinary one again by then."""

    CALLS = "_mxcert_calls"

    def __setattr__(self, name: str, value: object) -> None:
        if name != _LOADING or value:
            super().__setattr__(name, value)
            return
        calls = vars(self).pop(self.CALLS, [])
        self.__class__ = ModuleSpec  # type: ignore[assignment]
        setattr(self, _ENDED, get_ident())
        try:
            while calls:
                calls.pop(0)()
        finally:
            _bind_to_package(self.name)
            setattr(self, name, value)  # with which those are called who have come meanwhile
            vars(self).pop(_ENDED, None)


def _bind_to_package(name: str) -> None:
    """Make a module that is loaded an attribute of its package.

    importlib does so only once others may have the module, whose ``import http.client`` may then
    leave them with an ``http`` that has no ``client`` (issue 149728 of CPython).
    """
    package, _, child = name.rpartition(".")
    parent, module = sys.modules.get(package), sys.modules.get(name)
    if parent is None or module is None:  # it is in no package, or could not be loaded
        return
    try:
        setattr(parent, child, module)
    except Exception:  # importlib, which tries again, says what it says of that without us
        return


def first_found(
    finders: Iterable[Any], name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    """What the first of the finders that finds a module has, each asked as importlib does."""
    return next(filter(None, (_ask(each, name, path, target) for each in finders)), None)


def _ask(
    finder: Any, name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    found: ModuleSpec | None = None
    if hasattr(finder, "find_spec"):
        found = finder.find_spec(name, path, target)
    # Up to Python 3.11; an older `six` in the folder of some library brings one.
    elif sys.version_info < (3, 12) and hasattr(finder, "find_module"):
        from importlib.util import spec_from_loader

        loader = finder.find_module(name, path)
        found = None if loader is None else spec_from_loader(name, loader)
    return found


def spec_of_loaded(name: str, module: ModuleType) -> ModuleSpec:
    """What an import finds of a module that is loaded already: the module as it is."""

    spec = ModuleSpec(name, _Loaded(module))  # type: ignore[arg-type]
    if module.__spec__ is not None:
        spec.origin = module.__spec__.origin
        spec.submodule_search_locations = module.__spec__.submodule_search_locations
    # Of a module that came during the search, importlib takes the spec that it has by itself.
    module.__spec__ = spec
    return spec


class _Loaded:
    """The loader of a module that is loaded already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: Any) -> ModuleType:
        """The module as it is."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do but to give it back its own spec."""
        module.__spec__ = self._spec

    def __getattr__(self, name: str) -> Any:
        # Whoever asks for the source gets it where it always came from.
        return getattr(self._spec and self._spec.loader, name)
