"""The generation in force; swapped whole, so that every connection sees one or the other."""

from __future__ import annotations

import math
import time
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .generation import Generation


#: The generation in force; ``None`` while nothing is activated.
current: Generation | None = None

#: how many generations this process, or the one that it was forked from, has put in force
number = 0

#: how often another one, or none, was put in force
changes = 0

#: when the one in force was put there, in seconds since 1970; ``None`` while there is none
loaded_at: float | None = None


#: from when on somebody has to look whether settings have changed, by the monotonic clock
due = math.inf
_look: Callable[[], object] | None = None


def up_to_date() -> Generation | None:
    """The generation in force, for whoever is about to use a connection.

    Where a look is due, whether settings have changed, it comes first: so a program that was idle
    for days takes up what has changed before it connects, and nothing runs in the background.
    """
    if monotonic() >= due and _look is not None:
        _look()
    return current


def look_by(look: Callable[[], object] | None) -> None:
    """Say what looks; it sets :data:`due` itself."""
    global _look, due
    _look, due = look, math.inf


def install(generation: Generation | None) -> None:
    """Put a generation in force for every connection from now on."""
    global changes, current, number, loaded_at
    changes += 1
    if generation is not None:
        number += 1
    loaded_at = None if generation is None else time.time()
    current = generation
