"""One attribute of a class or module of others, and our function in its place.

Undoing it restores exactly what stood there. Where somebody else has wrapped our function
meanwhile, theirs stays: ours is switched off underneath, and switched on again, not added once
more, when it is applied again.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..base import displaced_by
from ..errors import PatchError
from .replacements import Build, Switch

_MISSING = object()


def attribute_of(module: str, name: str = "") -> Callable[[], Any]:
    """Finds a module, or a class in it, when it is needed."""

    def find() -> Any:
        owner: Any = importlib.import_module(module)
        return functools.reduce(getattr, name.split("."), owner) if name else owner

    return find


def _inherited(owner: Any, name: str, standing: Any) -> Any:
    """A method that ``owner`` inherits, found when it is called.

    Where others wrap it in the class that it comes from, before or after us, it is theirs that is
    called, as it would be without us.
    """

    @functools.wraps(standing)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(super(owner, self), name)(*args, **kwargs)

    return call


class Patch:
    """One attribute and what stands in for it."""

    def __init__(self, owner: Callable[[], Any], name: str, build: Build) -> None:
        self._owner = owner
        self._name = name
        self._build = build
        self._replacement: Any = _MISSING
        self._displaced: Any = _MISSING
        self._switch = Switch()

    def apply(self) -> None:
        """Put the replacement in place, once.

        Raises :class:`PatchError` where there is no such attribute.
        """
        owner, standing = self._find()
        if self._replacement is not _MISSING and _wraps(standing, self._replacement):
            self._switch.on = True
            return
        # One that stands somewhere beneath a foreign wrapper must not act a second time.
        self._switch.on = False
        self._switch = Switch(in_class=isinstance(owner, type))
        found = vars(owner).get(self._name, _MISSING)
        if found is _MISSING and _may_be_wrapped(standing):
            standing = _inherited(owner, self._name, standing)
        self._displaced = _beneath(found)
        self._replacement = self._build(standing, self._switch)
        setattr(owner, self._name, self._replacement)

    def _find(self) -> tuple[Any, Any]:
        missing = None
        try:
            owner = self._owner()
        except (AttributeError, ImportError) as error:
            missing = str(error)
        if missing is not None:
            raise PatchError(missing)
        standing = _find_attribute(owner, self._name)
        if standing is _MISSING:
            raise PatchError(f"{owner!r} has no attribute {self._name!r}")
        return owner, standing

    def undo(self) -> None:
        """Restore what stood there, or switch off where another's patch stands on top."""
        self._switch.on = False
        owner = self._owner()
        standing = vars(owner).get(self._name, _MISSING)
        if standing is _MISSING or standing is not self._replacement:
            return
        if self._displaced is _MISSING:
            delattr(owner, self._name)
        else:
            setattr(owner, self._name, self._displaced)
        self._replacement = _MISSING


class Addition(Patch):
    """An attribute of our own on a class of others, where nothing stood before."""

    def __init__(self, owner: Callable[[], Any], name: str, value: Any) -> None:
        super().__init__(owner, name, lambda standing, switch: value)

    def _find(self) -> tuple[Any, Any]:
        owner = self._owner()
        return owner, _find_attribute(owner, self._name)


def _beneath(found: Any) -> Any:
    """What to restore: not what stands in for it only until the plugin is active."""
    displaced = displaced_by(found)
    if displaced is None:
        return found
    return displaced[0] if displaced else _MISSING


def _may_be_wrapped(standing: Any) -> bool:
    """Whether it is a method of a class of Python, in whose place others may put theirs."""
    # Another thread may be importing it just now.
    proxy = getattr(sys.modules.get("wrapt"), "FunctionWrapper", FunctionType)
    return isinstance(standing, (FunctionType, proxy))


def _find_attribute(owner: Any, name: str) -> Any:
    """The attribute as it is stored, not bound: ``staticmethod`` objects stay what they are."""
    for holder in getattr(owner, "__mro__", (owner,)):
        if name in vars(holder):
            return vars(holder)[name]
    return _MISSING


def _wraps(outer: Any, inner: Any) -> bool:
    while outer is not inner:
        outer = getattr(outer, "__wrapped__", _MISSING)
        if outer is _MISSING:
            return False
    return True
