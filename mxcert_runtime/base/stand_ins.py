"""Functions of ours that stand in somewhere for a while, and what they have displaced there.

Whoever patches the place for good meanwhile keeps them beneath, and restores what they displaced.
"""

from __future__ import annotations

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MARK = "_mxcert_stand_in"


def stand_in(owner: Any, name: str, function: Any) -> None:
    """Put a function in the place of an attribute, or of one that ``owner`` inherits."""
    displaced = (vars(owner)[name],) if name in vars(owner) else ()
    # Its own name for itself: `functools.wraps` copies marks to whoever wraps it.
    setattr(function, _MARK, (function, displaced))
    setattr(owner, name, function)


def displaced_by(function: Any) -> tuple[Any, ...] | None:
    """What a function displaced, if anything stood there; ``None`` where it is no stand-in."""
    marked, displaced = getattr(function, _MARK, (None, ()))
    return displaced if marked is function else None


def give_way(owner: Any, name: str, function: Any) -> None:
    """Restore what a function displaced, unless another's patch stands on top of it."""
    displaced = displaced_by(function)
    if displaced is None or vars(owner).get(name) is not function:
        return
    if displaced:
        setattr(owner, name, displaced[0])
    else:
        delattr(owner, name)
