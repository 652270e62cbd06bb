"""Who calls, up to the outermost: what tells an import by ``site`` from one by a program."""

from __future__ import annotations

import sys

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


def frames() -> Iterator[FrameType]:
    """The callers of the caller, the nearest first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def site_is_at_work() -> bool:
    """Whether ``site`` is adding its folders in this thread."""
    return any(
        frame.f_code.co_name == "main" and frame.f_globals.get("__name__") == "site"
        for frame in frames()
    )
