"""Which files were read, and whether they hold something else by now.

A look costs one ``stat`` for each file. Where that shows a change, or could hide one since a file
system writes times in ticks, the content tells: only what it holds counts, so a file that is
touched, or replaced by one that is alike, has not changed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Union

from .file_state import has_settled
from .frozen_dataclass import dataclass

#: No digest leaves this process, and none says anything about a password in a file.
_KEY = os.urandom(32)
#: What tells of the file. Anything else, such as no free descriptor, or a server that is away, may
#: be over at the next look, with nothing of the file changed.
_LASTING = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG),
        *(errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENXIO, errno.EFBIG),
    }
)


@dataclass(frozen=True)
class Mark:
    """What a file was when it was read; two of different times may have the same digest."""

    times: tuple[int, ...]
    digest: bytes
    is_settled: bool


@dataclass(frozen=True)
class Unread:
    """What could not be read; no times where nothing is there that could be looked at.

    ``is_lasting`` is whether it stays so until the file changes.
    """

    times: tuple[int, ...] | None
    is_lasting: bool


#: by path; ``None`` for what is no regular file, such as a pipe, which gives its content once
Marks = dict[str, Union[Mark, Unread, None]]

_marks: ContextVar[Marks | None] = ContextVar("mxcert_files_read", default=None)


@contextmanager
def files_read() -> Iterator[Marks]:
    """The files that the running code reads within."""
    marks: Marks = {}
    token = _marks.set(marks)
    try:
        yield marks
    finally:
        _marks.reset(token)


def note_read(path: str, found: os.stat_result, content: bytes) -> None:
    """Note a file that was read; ``found`` is what it was before."""
    marks = _marks.get()
    if marks is not None:
        marks[path] = _mark(found, content) if stat.S_ISREG(found.st_mode) else None


def note_unread(path: str, error: OSError) -> None:
    """Note a path at which nothing could be read."""
    marks = _marks.get()
    if marks is not None:
        marks[path] = _unread(path, error)


def mark_of(path: str) -> Mark | Unread | None:
    """The mark of a file that others read."""
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            return _mark(found, file.read()) if stat.S_ISREG(found.st_mode) else None
    except OSError as error:
        return _unread(path, error)


def changed_files(marks: Marks) -> list[str]:
    """The paths that hold something else than when they were marked.

    Marks of files that hold the same, with other times, are brought up to date.
    """
    return [path for path in list(marks) if _has_changed(marks, path)]


def newest_change(marks: Marks) -> float:
    """When the last of them was changed, in seconds since 1970; 0 where nothing tells."""
    times = [max(each.times[1:3]) for each in marks.values() if isinstance(each, Mark)]
    return max(times, default=0) / 1e9


def _has_changed(marks: Marks, path: str) -> bool:
    mark = marks[path]
    if mark is None:
        return False
    if isinstance(mark, Unread):
        return not mark.is_lasting or mark.times != _times_at(path)
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return True
        if mark.is_settled and _times_of(found) == mark.times:
            return False
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            now = _mark(found, file.read())
    except OSError:
        return True
    if now.digest != mark.digest:
        return True
    marks[path] = now
    return False


def _unread(path: str, error: OSError) -> Unread:
    times = _times_at(path)
    # It may have been changed since it was tried, and times are written in ticks.
    is_settled = times is None or has_settled(*times[1:3])
    return Unread(times, is_settled and error.errno in _LASTING)


def _times_at(path: str) -> tuple[int, ...] | None:
    try:
        return _times_of(os.stat(path))
    except OSError:
        return None


def _mark(found: os.stat_result, content: bytes) -> Mark:
    times = _times_of(found)
    digest = hashlib.blake2b(content, key=_KEY, digest_size=16).digest()
    return Mark(times, digest, has_settled(*times[1:3]))


def _times_of(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
