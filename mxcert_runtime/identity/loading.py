"""Loads many identities: what takes their time is derived on all processors at once.

Deriving a key from a password needs nothing of the interpreter, so threads do it side by side.
They do nothing else: what imports, or may, stays in the thread that loads. That may be within an
import itself (autostart is), and would wait for a thread that waits for the lock of that import.
"""

from __future__ import annotations

import _imp
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Union

from ..errors import IdentityError
from .identity import Identity, Opening
from .material import certificate_readers
from .material.key_derivation import import_what_is_late
from .opening import Content
from .sources import Authority, IdentitySettings

#: Entries that are read before the first of them is opened; files may be large.
_BATCH = 64
_MOST_THREADS = 8

#: what an entry comes to: its identities, and the CAs that its settings and its source pin
Loaded = tuple[tuple[Identity, ...], tuple[Authority, ...]]
_Begun = Union[Opening, IdentityError]


class Load:
    """Gives what an entry comes to, or raises what is wrong with it."""

    def __init__(self, begun: _Begun) -> None:
        self._begun = begun

    def __call__(self) -> Loaded:
        """What it comes to; raises as :func:`~.identity.load_identities` does."""
        if isinstance(self._begun, IdentityError):
            raise self._begun
        return self._begun.identities(), self._begun.pinned()

    @property
    def content(self) -> Content | None:
        """What was read, if that was no error by itself."""
        return self._begun.content if isinstance(self._begun, Opening) else None


def load_all(entries: Sequence[IdentitySettings]) -> Iterator[tuple[IdentitySettings, Load]]:
    """Each entry in its order, with what gives its identities and its pinned CAs.

    That raises as :func:`~.identity.load_identities` does.
    """
    certificate_readers.expect(len(entries))
    for start in range(0, len(entries), _BATCH):
        batch = entries[start : start + _BATCH]
        begun = [_begin(each) for each in batch]
        _side_by_side(_derivations(begun))
        while begun:
            # Not longer than needed: each holds what its file says, and keys in clear.
            yield batch[-len(begun)], Load(begun.pop(0))


def _begin(settings: IdentitySettings) -> _Begun:
    try:
        return Opening(settings)
    except IdentityError as error:
        return error


def _derivations(begun: list[_Begun]) -> list[Callable[[], None]]:
    """What there is to derive, once for each distinct content."""
    found: list[Callable[[], None]] = []
    known: set[bytes] = set()
    for number, each in enumerate(begun):
        if isinstance(each, IdentityError):
            continue
        key = each.key
        if key in known:
            continue
        known.add(key)
        try:
            found += each.prepare()
        except IdentityError as error:
            begun[number] = error
    return found


def _side_by_side(calls: Sequence[Callable[[], None]]) -> None:
    """Make the calls in as many threads as there are processors, this one among them."""
    count = min(_processors(), len(calls), _MOST_THREADS) - 1
    # Up to Python 3.11 finders are asked under the lock of all imports.
    if count < 1 or _imp.lock_held():
        return  # nothing is won, or much is at stake
    import_what_is_late()
    waiting = iter(calls)
    others: list[threading.Thread] = []
    for _ in range(count):
        thread = threading.Thread(target=_call_each, args=(waiting,), daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread is to be had
            break
        others.append(thread)
    _call_each(waiting)
    for each in others:
        each.join()


def _call_each(waiting: Iterable[Callable[[], None]]) -> None:
    for call in waiting:
        try:
            call()
        except Exception:  # noqa: S112 - whoever opens the file meets it again, and tells it
            continue


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
