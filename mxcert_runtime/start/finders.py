"""What a finder of this package does within importlib: it stays the first, and calls unlocked."""

from __future__ import annotations

import _imp
import sys

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from _typeshed.importlib import MetaPathFinderProtocol

    _Result = TypeVar("_Result")


def come_first(finder: MetaPathFinderProtocol) -> None:
    """Put ``finder`` before the other finders again: one that stands before may serve ``ssl``."""
    if finder in sys.meta_path[1:]:
        others = [each for each in sys.meta_path if each is not finder]
        sys.meta_path[:] = [finder, *others]  # at one go, so that nobody misses any other


def call_without_import_lock(call: Callable[[], _Result]) -> _Result:
    """Call from a finder something that imports, or waits: finders are asked under the import lock.

    Another thread, which loads what the call needs, would wait for that lock, and both for ever.
    """
    held = 0
    try:
        while _imp.lock_held():
            _imp.release_lock()
            held += 1
    except RuntimeError:  # it is another thread's
        pass
    try:
        return call()
    finally:
        for _ in range(held):
            _imp.acquire_lock()
