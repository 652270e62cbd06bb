"""Tells files and directories apart by what they hold; never by less than OpenSSL would read.

The times of a file prove little: a file system writes them in ticks of some milliseconds, and a
file that is written through a mapping in memory (mmap(2)) may show that late, or never. A file is
therefore known by a digest of its content. Where its times are the same, that counts for a second:
whoever loads a file gets what it held at most a second ago, however it was written.

Only what tells of the file itself says that it has changed. A process without a free descriptor, or
without memory, has learnt nothing: the error goes to whoever asks.

All this stands for a look of OpenSSL's own at the same files, at the same moment, and costs less.
The functions are therefore bound here: whoever guards an event loop by putting others into ``os``
does not see OpenSSL's looks either.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable
from os import close, fstat, listdir, open as open_descriptor, read, stat as look_at
from time import monotonic
from typing import Union

from .frozen_dataclass import dataclass
from .late_patterns import late_pattern
from .momentary_errors import is_momentary

#: Nanoseconds after which a change of a file shows in its times, with some allowance for file
#: systems on the network.
_SETTLED_NS = 2_000_000_000

#: Seconds for which a look counts, as long as the times are the same.
_LOOK_SECONDS = 1.0

_LOOKS_LIMIT = 64

#: The names that OpenSSL looks for in a directory: certificates and CRLs by the hash of a subject.
_HASHED_NAME = late_pattern(r"[0-9a-f]{8}\.r?[0-9]+")

# A FIFO that comes into the place of a file must not be waited for.
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)
_PIECE = 1 << 20


@dataclass(frozen=True)
class FileState:
    """What a file holds, by its SHA-256 digest."""

    digest: str

    @classmethod
    def holding(cls, content: bytes) -> FileState:
        """The state of a file with this content."""
        return cls(hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class _Times:
    size: int
    modified_ns: int
    #: cannot be set back, as the time of modification can
    changed_ns: int
    inode: int
    device: int


@dataclass(frozen=True)
class _Look:
    moment: float
    times: _Times
    state: FileState


_last_looks: dict[str, _Look] = {}


def state_of(path: str) -> FileState | None:
    """What a file holds, or held a second ago; ``None``: there is none that could be read twice.

    Raises OSError where that cannot be known now, for want of descriptors or memory.
    """
    times = _times_of(path)
    if times is None:
        return None
    look = _last_looks.get(path)
    if look is not None and look.times == times and monotonic() < look.moment + _LOOK_SECONDS:
        return look.state
    moment, content = monotonic(), content_of(path)
    if content is None:
        return None
    state = FileState.holding(content)
    if _has_settled(times) and times == _times_of(path):
        if len(_last_looks) >= _LOOKS_LIMIT:
            _last_looks.clear()
        _last_looks[path] = _Look(moment, times, state)
    return state


def content_of(path: str) -> bytes | None:
    """All that a file holds now; ``None`` and errors as for :func:`state_of`."""
    # A pipe gives its content once.
    if _times_of(path) is None:
        return None
    try:
        descriptor = open_descriptor(path, _FLAGS)
    except (OSError, ValueError) as error:
        _raise_if_momentary(error)
        return None
    try:
        if not stat.S_ISREG(fstat(descriptor).st_mode):
            return None
        pieces = []
        while piece := read(descriptor, _PIECE):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError as error:
        _raise_if_momentary(error)
        return None
    finally:
        close(descriptor)


def _times_of(path: str) -> _Times | None:
    try:
        found = look_at(path)
    except (OSError, ValueError) as error:
        _raise_if_momentary(error)
        return None
    return _times_from(found) if stat.S_ISREG(found.st_mode) else None


def _raise_if_momentary(error: Exception) -> None:
    if isinstance(error, OSError) and is_momentary(error):
        raise error


def _times_from(found: os.stat_result) -> _Times:
    return _Times(
        size=found.st_size,
        modified_ns=found.st_mtime_ns,
        changed_ns=found.st_ctime_ns,
        inode=found.st_ino,
        device=found.st_dev,
    )


def _has_settled(times: _Times) -> bool:
    return has_settled(times.modified_ns, times.changed_ns)


def has_settled(modified_ns: int, changed_ns: int) -> bool:
    """Whether one more change would show in the times of a file, in nanoseconds since 1970."""
    return time.time_ns() - max(modified_ns, changed_ns) >= _SETTLED_NS


_Entry = tuple[str, Union[_Times, FileState, None]]


@dataclass(frozen=True)
class DirectoryState:
    """What OpenSSL would find in a directory, and a mark of the directory's own last change."""

    path: str
    own: _Times | None
    entries: frozenset[_Entry] = frozenset()
    #: another one each time, where it may be searched and not listed: equal to no other state
    unknown: object = None


#: What is put in, taken out or replaced in a directory changes its own times at once. Only a file
#: that is written over in its place, or that a link leads to elsewhere, shows a second later.
_last_directories: dict[str, tuple[float, DirectoryState]] = {}


def directory_states(paths: Iterable[str]) -> tuple[DirectoryState, ...]:
    """The states of directories now, in their order; see ``_last_directories``."""
    return tuple(map(_directory_state, paths))


def _directory_state(path: str) -> DirectoryState:
    try:
        # The state before the list: what is changed in between makes the next state another one.
        own = _times_from(look_at(path))
        looked, state = _last_directories.get(path, (0.0, None))
        if state is not None and state.own == own and monotonic() < looked + _LOOK_SECONDS:
            return state
        state = DirectoryState(path, own, _entries(path))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return DirectoryState(path, None)
    except OSError as error:
        _raise_if_momentary(error)
        return DirectoryState(path, None, unknown=object())
    if _has_settled(own):
        if len(_last_directories) >= _LOOKS_LIMIT:
            _last_directories.clear()
        _last_directories[path] = monotonic(), state
    return state


def _entries(path: str) -> frozenset[_Entry]:
    return frozenset((each, _entry_state(each)) for each in _hashed_files(path))


def hashed_files(path: str) -> list[str]:
    """The paths of the files in a directory that OpenSSL looks for; none where there is no such.

    Raises OSError where it cannot be listed.
    """
    try:
        return _hashed_files(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return []


def _hashed_files(path: str) -> list[str]:
    return [os.path.join(path, name) for name in listdir(path) if _HASHED_NAME.fullmatch(name)]


def _entry_state(path: str) -> _Times | FileState | None:
    # There may be hundreds, which OpenSSL reads as it needs them.
    times = _times_of(path)
    return times if times is None or _has_settled(times) else state_of(path)
