"""Locks that a forked process finds open, and that no interruption leaves closed.

A process that forks while another thread holds a lock would wait for that thread for ever: it does
not exist in the child. What these locks guard is usable after each single step, so the child may
go on with it.

They are CPython's own, written in C: between taking one and the block that it guards there is no
moment at which a signal handler could run, or raise. They are reentrant, so that a handler may
connect while its own thread holds one.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

_ReentrantLock: Any = type(threading.RLock())


class ForkSafeLock(_ReentrantLock):  # type: ignore[misc]
    """A reentrant lock for ``with``."""

    def __init__(self) -> None:
        super().__init__()
        _locks.add(self)

    def open_anew(self) -> None:
        """Forget whoever holds it; a thread that forks while it does so goes on in the child."""
        if not self._is_owned():
            self._at_fork_reinit()


_locks: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _open_all() -> None:
    for lock in list(_locks):
        lock.open_anew()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_open_all)
