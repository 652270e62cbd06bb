"""The generation in force; swapped whole, so that every connection sees one or the other."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .generation import Generation


#: The generation in force; ``None`` while nothing is activated.
current: Generation | None = None

#: how many generations this process, or the one that it was forked from, has put in force
number = 0

#: when the one in force was put there, in seconds since 1970; ``None`` while there is none
loaded_at: float | None = None


def install(generation: Generation | None) -> None:
    """Put a generation in force for every connection from now on."""
    global current, number, loaded_at
    if generation is not None:
        number += 1
    loaded_at = None if generation is None else time.time()
    current = generation
