"""The generation in force; swapped whole, so that every connection sees one or the other."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .generation import Generation


#: The generation in force; ``None`` while nothing is activated.
current: Generation | None = None


def install(generation: Generation | None) -> None:
    """Put a generation in force for every connection from now on."""
    global current
    current = generation
