"""Reads a file whole, within bounds of size and time, whatever the path leads to.

A setting may name a device that never ends, a pipe into which nobody writes, or what a shell makes
of ``<(command)``. The last is wanted, and the others must not hold up an import: a pipe may take
its time as long as somebody has it open for writing, and no device but the null device is read.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from .files_read import note_read, note_unread
from .secret import Secret

#: No file of keys or settings comes near it; a wrong path to a log or an image does.
MAX_BYTES = 10 * 1024 * 1024

#: Seconds for somebody to open a pipe for writing, and for whoever has done so to write it all.
_WRITER_SECONDS, _PIPE_SECONDS = 0.5, 10.0
_POLL_SECONDS = 0.01
_CHUNK = 1024 * 1024

#: what is not read at all; opening a device can do things by itself
_REFUSED_KINDS = (
    (stat.S_ISDIR, errno.EISDIR, os.strerror(errno.EISDIR)),
    (stat.S_ISSOCK, errno.ENXIO, "it is a socket"),
    (stat.S_ISBLK, errno.ENXIO, "it is a device"),
)


def read_bounded(path: str, limit: int = MAX_BYTES) -> Secret[bytes]:
    """The content of the file, of ``limit`` bytes at most, some whole MiB.

    Raises OSError for what cannot be read, with words for what it is where the system has none,
    and ``EFBIG`` for what is larger; ValueError for a text that can be no path.
    """
    try:
        found, content = _read(path, limit)
    except OSError as error:
        note_unread(path, error)
        raise
    note_read(path, found, content.reveal())
    return content


def _read(path: str, limit: int) -> tuple[os.stat_result, Secret[bytes]]:
    # Before it is opened too, since that can do something to a device.
    _refuse_kind(os.stat(path))
    descriptor = os.open(path, _FLAGS)
    try:
        found = os.fstat(descriptor)
        _refuse_kind(found)
        if not _FLAGS & _NON_BLOCKING and not stat.S_ISREG(found.st_mode):
            raise OSError(errno.ENXIO, "it is no regular file")
        return found, _read_all(descriptor, limit)
    finally:
        os.close(descriptor)


_NON_BLOCKING: int = getattr(os, "O_NONBLOCK", 0)
# A terminal must not become the one that controls this process, and Windows turns line ends around.
_FLAGS: int = os.O_RDONLY | _NON_BLOCKING | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def _refuse_kind(found: os.stat_result) -> None:
    for is_kind, code, words in _REFUSED_KINDS:
        if is_kind(found.st_mode):
            raise OSError(code, words)
    if stat.S_ISCHR(found.st_mode) and not _is_null_device(found):
        raise OSError(errno.ENXIO, "it is a device")


def _is_null_device(found: os.stat_result) -> bool:
    return os.path.samestat(found, os.stat(os.devnull))


def _read_all(descriptor: int, limit: int) -> Secret[bytes]:
    """Reads until the end; a pipe is at its end when nobody has it open for writing any more."""
    is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    begun, left, chunks = time.monotonic(), limit + 1, []
    while left:
        chunk = _read_chunk(descriptor, left)
        if chunk:
            chunks.append(chunk)
            left -= len(chunk.reveal())
        elif chunk is not None and (chunks or not is_pipe):
            return Secret(b"".join(each.reveal() for each in chunks))
        else:
            time.sleep(_POLL_SECONDS)
        has_ended = chunk is not None and not chunks
        if (is_pipe or chunk is None) and time.monotonic() - begun > _patience(has_ended):
            raise OSError(errno.ETIMEDOUT, "it is a pipe into which nobody writes to the end")
    raise OSError(errno.EFBIG, f"it is larger than {limit // 1024**2} MiB")


def _patience(has_ended: bool) -> float:
    return _WRITER_SECONDS if has_ended else _PIPE_SECONDS


def _read_chunk(descriptor: int, most: int) -> Secret[bytes] | None:
    """``None`` where somebody may write more; nothing at the end, or where nobody writes yet."""
    try:
        return Secret(os.read(descriptor, min(most, _CHUNK)))
    except BlockingIOError:
        return None
