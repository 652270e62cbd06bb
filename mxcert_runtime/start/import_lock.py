"""Calls without the lock that importlib holds while it asks a finder."""

from __future__ import annotations

import _imp

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    _Result = TypeVar("_Result")


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
