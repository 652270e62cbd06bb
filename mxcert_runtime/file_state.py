"""Tells whether a file or a directory is what it was, without reading it where that is certain.

A file system writes times in ticks of some milliseconds, so a file that has just been written can
be written again without showing it. The state of such a file therefore holds a digest too.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from time import monotonic

#: Nanoseconds after which a change of a file shows in its times, with some allowance for file
#: systems on the network.
_SETTLED_NS = 2_000_000_000

#: The names that OpenSSL looks for in a directory: certificates and CRLs by the hash of a subject.
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.r?[0-9]+")


@dataclass(frozen=True)
class FileState:
    """Tells the contents of a file apart."""

    size: int
    modified_ns: int
    #: cannot be set back, as the time of modification can
    changed_ns: int
    inode: int
    device: int
    #: of the content, where the times alone could not tell a change
    digest: str | None = None


def state_of(path: str) -> FileState | None:
    """The state of a file now; ``None`` where there is none that could be read twice."""
    state = _look(path)
    if state is None or _has_settled(state):
        return state
    return replace(state, digest=_digest(path))


def is_unchanged(path: str, state: FileState | None) -> bool:
    """Whether a file is what it was when it had this state."""
    if state is None:
        return _look(path) is None
    if replace(state, digest=None) != _look(path):
        return False
    return state.digest is None or state.digest == _digest(path)


def _look(path: str) -> FileState | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    # A pipe gives its content once.
    return _state_from(found) if stat.S_ISREG(found.st_mode) else None


def _state_from(found: os.stat_result) -> FileState:
    return FileState(
        found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
    )


def _has_settled(state: FileState) -> bool:
    return time.time_ns() - max(state.modified_ns, state.changed_ns) >= _SETTLED_NS


def _digest(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


@dataclass(frozen=True)
class DirectoryState:
    """What OpenSSL would find in a directory, and a mark of the directory's own last change."""

    path: str
    own: FileState | None
    entries: frozenset[tuple[str, FileState | None]] = frozenset()
    #: another one each time, where it may be searched and not listed: equal to no other state
    unknown: object = None


#: Seconds for which a look at all entries counts, as long as the directory's own times are the
#: same: what is put in, taken out or replaced there changes them at once. Only a file that is
#: written over in its place, or that a link leads to elsewhere, shows this much later.
_LOOK_SECONDS = 1.0

_LOOKS_LIMIT = 64
_last_looks: dict[str, tuple[float, DirectoryState]] = {}


def directory_states(paths: Iterable[str]) -> tuple[DirectoryState, ...]:
    """The states of directories now, in their order; see ``_LOOK_SECONDS``."""
    return tuple(map(_directory_state, paths))


def _directory_state(path: str) -> DirectoryState:
    try:
        # The state before the list: what is changed in between makes the next state another one.
        own = _state_from(os.stat(path))
        looked, state = _last_looks.get(path, (0.0, None))
        if state is not None and state.own == own and monotonic() < looked + _LOOK_SECONDS:
            return state
        state = DirectoryState(path, own, _entries(path))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return DirectoryState(path, None)
    except OSError:
        return DirectoryState(path, None, unknown=object())
    if _has_settled(own):
        if len(_last_looks) >= _LOOKS_LIMIT:
            _last_looks.clear()
        _last_looks[path] = monotonic(), state
    return state


def _entries(path: str) -> frozenset[tuple[str, FileState | None]]:
    with os.scandir(path) as found:
        names = [entry.name for entry in found if _HASHED_NAME.fullmatch(entry.name)]
    return frozenset((name, state_of(os.path.join(path, name))) for name in names)
