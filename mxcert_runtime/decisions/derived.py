"""What a room derives from a generation: made when first asked for, and gone with it.

So a generation holds nothing but what its settings decided, and whoever works something out from
it keeps that in the room where its class lives. Only the last generation that was asked about is
remembered: nobody asks about an older one but connections that were under way when it ended.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from .generation import Generation

State = TypeVar("State")


class Derived(Generic[State]):
    """The state of one room for a generation; it must not hold on to the generation itself."""

    def __init__(self, make: Callable[[], State]) -> None:
        self._make = make
        # One tuple, so that no thread sees the state of another generation.
        self._last: tuple[weakref.ref[Generation], State] | None = None

    def of(self, generation: Generation) -> State:
        """The state for a generation, new where it is not the one that was asked about last."""
        last = self._last
        if last is not None and last[0]() is generation:
            return last[1]
        state = self._make()
        self._last = weakref.ref(generation), state
        return state
