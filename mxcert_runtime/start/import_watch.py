"""An import finder that finds nothing, but sees each import that begins, and acts on one."""

from __future__ import annotations

import sys

from ..base import call_without_import_lock, first_found, spec_of_loaded

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


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
        call_without_import_lock(self._act)
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
        return spec_of_loaded(name, module)
    finders = [each for each in sys.meta_path if not isinstance(each, ImportWatch)]
    return first_found(finders, name, path, target)
