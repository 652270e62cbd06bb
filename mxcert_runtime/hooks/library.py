"""A library and its patches, which are applied once its module is imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Union

from ..base import dataclass
from ..errors import PatchError

if TYPE_CHECKING:
    from ..identity import Identity
    from .patch import Patch


def _nothing(*_: object) -> None:
    """Most libraries keep nothing."""


@dataclass(frozen=True)
class Library:
    """The patches of one library, applied once its module is imported, whoever imports it."""

    module: str
    patches: Callable[[], tuple[Patch, ...]]
    #: the module that has ``__version__``, and the versions known to work: from, and below
    version_module: str = ""
    versions: tuple[str, str] = ("", "")
    #: called before the patches, each time that they are applied
    prepare: Callable[[], object] = _nothing
    #: called when other settings have come into force: closes what is idle and ended with the old
    retire: Callable[[], object] = _nothing
    #: gets the identities that stay, before others come into force
    keep_only: Callable[[Iterable[Identity]], object] = _nothing
    #: called when all is undone: drops what it keeps for any identity
    forget: Callable[[], object] = _nothing
    #: whether its connections are those that hooks see; else it is only told of
    is_reached: bool = True

    def found(self) -> Library:
        """Itself: its hooks are there."""
        return self

    def version(self) -> str:
        """The version of the library that is loaded; empty for the standard library."""
        if not self.version_module:
            return ""
        said = getattr(sys.modules.get(self.version_module), "__version__", "")
        return said if isinstance(said, str) else ""

    def __str__(self) -> str:
        return f"{self.module} {self.version()}".rstrip()

    @property
    def is_supported(self) -> bool:
        """Whether the loaded version is one that the patches are known to fit."""
        version = self.version()
        if not version:
            return True
        from .known_versions import fits  # late: what says no version has nothing to compare

        return fits(version, self.versions)


@dataclass(frozen=True)
class LateLibrary:
    """A library whose hooks are imported when it is, since most programs have few of them."""

    module: str
    #: the file of this package that has its hooks, in ``LIBRARIES`` or as ``LIBRARY``
    file: str

    def found(self) -> Library:
        """The library with its patches.

        Raises :class:`PatchError` where its hooks cannot be imported.
        """
        failure = None
        try:
            hooks = importlib.import_module(f"{__package__}.{self.file}")
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
        if failure is not None:
            raise PatchError(
                f"the hooks of {self.module} cannot be imported ({failure}); install mxcert_runtime"
                " anew, with its dependencies"
            )
        libraries: tuple[Library, ...] = getattr(hooks, "LIBRARIES", ()) or (hooks.LIBRARY,)
        return next(each for each in libraries if each.module == self.module)


HookedLibrary = Union[Library, LateLibrary]


def late(file: str, *modules: str) -> tuple[LateLibrary, ...]:
    """The libraries of one file of hooks, by the modules that are patched."""
    return tuple(LateLibrary(module, file) for module in modules)
