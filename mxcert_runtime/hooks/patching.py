"""All patches of the process: each library is patched once it is loaded, all are undone as one."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING

from ..base import call_when_loaded, drop_call, is_loading, logger as _logger
from .late_libraries import LateLibraries
from .library import HookedLibrary, Library as Library
from .patch import Addition as Addition, Patch as Patch, attribute_of as attribute_of
from .replacements import (
    Build as Build,
    Switch as Switch,
    Wrapper as Wrapper,
    unbound as unbound,
    wrapping as wrapping,
)

if TYPE_CHECKING:
    from ..identity import Identity

_late = LateLibraries()


class Patches:
    """All patches of the process, applied and undone as one."""

    def __init__(self, libraries: tuple[HookedLibrary, ...]) -> None:
        self._libraries = libraries
        self._applied: list[Patch] = []
        self._hooked: list[Library] = []
        self._made: dict[str, tuple[Patch, ...]] = {}
        self._watched: set[str] = set()
        #: the libraries, with their versions, that were told of as not known
        self._unknown: set[tuple[str, str]] = set()
        self._known: dict[str, Library] = {}
        self._identities: tuple[Identity, ...] = ()
        self._on = False

    @property
    def names(self) -> tuple[str, ...]:
        """The modules that are patched at the moment."""
        return tuple(library.module for library in self._hooked)

    def describe(self) -> str:
        """The modules that are patched, each with the version of its library."""
        return ", ".join(map(str, self._hooked))

    def apply(self) -> None:
        """Patch what is loaded, and the rest when it is loaded. Does nothing when applied.

        Raises :class:`~.errors.PatchError` where a loaded library is not what its version says.
        """
        if self._on:
            return
        self._on = True
        for library in self._libraries:
            # ``None`` there blocks an import.
            module = sys.modules.get(library.module)
            if module is not None and not self._is_to_come(library, module):
                self._patch(library)
            elif module is None:
                self._watch(library)

    def retire(self) -> None:
        """Let every library close what it keeps for settings that are over, as far as it can."""
        for library in self._hooked:
            try:
                library.retire()
            except Exception as error:
                # They are not used any more all the same.
                _logger.error("%s keeps connections of old settings: %s", library, error)

    def keep_only(self, identities: Iterable[Identity]) -> None:
        """Let every library drop what it keeps for other identities, now or when it is hooked."""
        self._identities = tuple(identities)
        for library in self._hooked:
            library.keep_only(self._identities)

    def forget(self) -> None:
        """Let every library that was ever hooked drop all that it keeps, once nothing is hooked."""
        self._identities = ()
        for library in self._known.values():
            library.forget()

    def undo(self) -> None:
        """Take all patches away, the last first."""
        self._on = False
        self._undo_down_to(0)
        self._hooked.clear()

    def _undo_down_to(self, count: int) -> None:
        while len(self._applied) > count:
            self._applied.pop().undo()

    def _watch(self, library: HookedLibrary) -> None:
        if library.module not in self._watched:
            # One for the life of the process: patches may be undone and applied again.
            self._watched.add(library.module)
            watch = functools.partial(self._patch_when_loaded, library)
            _late.call(library.module, watch)

    def _is_to_come(self, library: HookedLibrary, module: ModuleType) -> bool:
        """Whether a library is just being loaded, and patched at the end of that."""

        def end() -> None:
            if sys.modules.get(library.module) is None:  # it could not be loaded
                self._watch(library)
            elif library.module not in self.names:
                self._patch_when_loaded(library, module)

        # Its own import of `ssl` may be what activates.
        return _call_at_its_end(module, end)

    def _patch_when_loaded(self, library: HookedLibrary, module: ModuleType) -> None:
        try:
            if self._on and self._patch(library):
                _logger.debug("hooked: %s", self._known[library.module])
        except Exception as error:
            # The import is the application's, which must not fail by what we do to it.
            lost = _what_is_lost(library.module.partition(".")[0])
            _logger.error("%s cannot be hooked: %s. So %s.", library.module, error, lost)
        # Another thread may have undone all meanwhile; no lock may be held where modules are
        # loaded, for whose locks its holder would wait.
        if not self._on:
            self.undo()

    def _patch(self, hooked: HookedLibrary) -> bool:
        """Patch one library; ``False`` where its version is not known, or it is not reached."""
        library = hooked.found()
        if self._is_version_to_come(library):
            return False
        if not library.is_supported:
            self._tell_unknown(library)
            return False
        if library.module not in self._made:
            self._made[library.module] = library.patches()
        library.prepare()
        before = len(self._applied)
        try:
            for patch in self._made[library.module]:
                patch.apply()
                self._applied.append(patch)
        except BaseException:
            self._undo_down_to(before)
            raise
        if library.is_reached:
            self._known[library.module] = library
            self._hooked.append(library)
            self._keep_only_those_in_force(library)
        return library.is_reached

    def _is_version_to_come(self, library: Library) -> bool:
        """Whether a library is patched only once its package says its version.

        Some do so at their end, when the module that is patched is long loaded.
        """

        def end() -> None:
            if library.module not in self.names and library.module in sys.modules:
                self._patch_when_loaded(library, sys.modules[library.module])

        package = sys.modules.get(library.version_module)
        return package is not None and not library.version() and _call_at_its_end(package, end)

    def _keep_only_those_in_force(self, library: Library) -> None:
        identities = None
        while identities is not self._identities:  # others may come into force meanwhile
            identities = self._identities
            library.keep_only(identities)

    def _tell_unknown(self, library: Library) -> None:
        name, version = library.version_module, library.version()
        if (name, version) in self._unknown:  # several modules of a library are hooked
            return
        self._unknown.add((name, version))
        _logger.warning(
            "%s %s is not a version that mxcert_runtime knows (from %s, below %s): %s",
            name,
            version,
            *library.versions,
            _what_is_lost(name),
        )


def _what_is_lost(module: str) -> str:
    """What becomes of a library without its hooks; where the table cannot be read, what is certain.

    Never raises: what is told of may be that files of the package are gone.
    """
    try:
        from .known_versions import what_is_lost  # late: for libraries that are not hooked alone
    except Exception:
        return "its hooks are left out"
    return what_is_lost(module)


def _call_at_its_end(module: ModuleType, call: Callable[[], None]) -> bool:
    """Call at the end of the load of a module; ``False`` where that is over, and nothing calls."""
    if not is_loading(module) or not call_when_loaded(module.__spec__, call):
        return False
    # Another thread may have come to that end before it could see who waits for it.
    return is_loading(module) or not drop_call(module.__spec__, call)
