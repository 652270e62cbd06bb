"""Values that belong to the objects of others, by weak reference: those that take no attribute.

gevent's sockets have no room for an attribute; what is on the hot path tries that first.
"""

from __future__ import annotations

import weakref
from typing import Generic, TypeVar

Value = TypeVar("Value")


class OwnerNotes(Generic[Value]):
    """One value for each object, gone with it. Objects are told apart by what they are, not equal.

    A value must not hold its object.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[object], Value]] = {}

    def put(self, owner: object, value: Value) -> bool:
        """Keep a value; ``False`` where an object cannot be referred to weakly."""
        number, kept = id(owner), self._kept

        def forget(reference: weakref.ref[object]) -> None:
            if kept.get(number, (None,))[0] is reference:
                del kept[number]

        try:
            kept[number] = weakref.ref(owner, forget), value
        except TypeError:
            return False
        return True

    def get(self, owner: object) -> Value | None:
        """The value of an object, if it has one."""
        found = self._kept.get(id(owner))
        return found[1] if found is not None and found[0]() is owner else None

    def values(self) -> list[Value]:
        """The values of all objects that live."""
        return [value for _, value in list(self._kept.values())]

    def drop(self, owner: object) -> None:
        """Keep nothing for an object any more."""
        found = self._kept.get(id(owner))
        if found is not None and found[0]() is owner:
            self._kept.pop(id(owner), None)

    def clear(self) -> None:
        """Keep nothing at all."""
        self._kept.clear()
