"""An import finder that finds nothing, but sees each import that begins, and acts on one."""

from __future__ import annotations

import sys

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class ImportWatch:
    """The first among the finders, until an import that is due: then ``act`` is called, once.

    The import that it is called in goes on as it would have, with all that ``act`` has imported.
    """

    def __init__(self, is_due: Callable[[str], bool], act: Callable[[], None]) -> None:
        self._is_due = is_due
        self._act = act

    def start(self) -> None:
        """See every import from now on."""
        sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """See no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Act where this import is due, and then find what the other finders would have."""
        if not self._is_due(name):
            return None
        self.stop()
        self._act()
        return find_unwatched(name, path, target)


def find_unwatched(
    name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
) -> ModuleSpec | None:
    """What the import of a module finds where no :class:`ImportWatch` looks on.

    For a finder that has changed ``sys.meta_path`` or imported the very module: the import goes
    through that list just now, would miss the finder behind, and would load the module anew.
    """
    module = sys.modules.get(name)
    if module is not None:
        return _spec_of(name, module)
    finders = [each for each in sys.meta_path if not isinstance(each, ImportWatch)]
    return next(filter(None, (each.find_spec(name, path, target) for each in finders)), None)


def _spec_of(name: str, module: ModuleType) -> ModuleSpec:
    # importlib is imported only where a module that was asked for has come meanwhile.
    from importlib.machinery import ModuleSpec

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
