"""An import finder that finds nothing, but sees each import that begins, and acts on one.

No finder is ever taken off ``sys.meta_path``: imports of other threads go through that list by
position just now, and each would miss the finder behind the one that goes.
"""

from __future__ import annotations

import sys

from ..base import first_found, spec_of_loaded
from .finders import call_without_import_lock

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

    #: by which :func:`find_unwatched` knows those that it leaves out
    mxcert_only_watches = True

    def __init__(self, is_due: Callable[[str], bool], act: Callable[[], None]) -> None:
        self._is_due = is_due
        self._act = act
        self._is_on = False

    def start(self) -> None:
        """See every import from now on."""
        self._is_on = True
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """See no more."""
        self._is_on = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Act where this import is due, and then find what the other finders would have."""
        if not self._is_on or not self._is_due(name):
            return None
        self.stop()
        call_without_import_lock(self._act)
        return find_unwatched(name, path, target)


def find_unwatched(
    name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
) -> ModuleSpec | None:
    """What the import of a module finds where no :class:`ImportWatch` looks on.

    For a finder that has imported the very module, or had others put in front of it: the import,
    which is past those, would load the module anew, or miss them.
    """
    module = sys.modules.get(name)
    if module is not None and target is None:  # not to be loaded anew by importlib.reload
        return spec_of_loaded(name, module)
    finders = [each for each in sys.meta_path if not hasattr(each, "mxcert_only_watches")]
    return first_found(finders, name, path, target)
