"""Locks that a forked process finds open.

A process that forks while another thread holds a lock would wait for that thread for ever: it does
not exist in the child. What these locks guard is usable after each single step, so the child may
go on with it.
"""

from __future__ import annotations

import os
import threading
import weakref
from types import TracebackType


class ForkSafeLock:
    """A reentrant lock for ``with``."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _locks.add(self)

    def open_anew(self) -> None:
        """Forget whoever holds it."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()


_locks: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _open_all() -> None:
    for lock in list(_locks):
        lock.open_anew()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_open_all)
