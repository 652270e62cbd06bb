"""Files that exist only to pass something to OpenSSL, which takes some things by their path alone.

On Linux they are anonymous files in memory (memfd_create(2)) that no other user can open; elsewhere
temporary files, removed at once. Both are of mode 0600, which some C libraries demand. What is
written stays a :class:`~.base.secret.Secret` up to the call that writes it, since the frames of an
error (a disk that is full) can be seen.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from os import access as may_access  # see `file_state`
from typing import BinaryIO

from .momentary_errors import is_momentary
from .secret import Secret


@contextlib.contextmanager
def memory_file() -> Iterator[tuple[str, BinaryIO] | None]:
    """An empty file in memory and its path; ``None`` where the system has no such thing.

    Raises OSError where it could be had at another moment: the disk is no way out of that.
    """
    descriptor = _open_memory()
    if descriptor is None:
        yield None
        return
    path = f"/proc/self/fd/{descriptor}"
    # Without a buffer, which would be written once more, and fail once more, when it is closed.
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        yield (path, file) if may_access(path, os.F_OK) else None


def _open_memory() -> int | None:
    try:
        descriptor = os.memfd_create("mxcert")
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and is_momentary(error):
            raise
        return None
    os.fchmod(descriptor, 0o600)
    return descriptor


@contextlib.contextmanager
def temporary_file(content: Secret[bytes]) -> Iterator[str]:
    """A file on the disk; what it holds must be encrypted, or be no secret."""
    owner = os.getpid()
    import tempfile  # late: with it come five ways of compression

    descriptor, path = tempfile.mkstemp(prefix="mxcert-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            write_all(file, content)
        yield path
    finally:
        # A process that was forked meanwhile comes by here too.
        if os.getpid() == owner:
            os.unlink(path)


@contextlib.contextmanager
def public_file(content: bytes) -> Iterator[str]:
    """The path of a file with content that is no secret."""
    with memory_file() as memory:
        if memory is not None:
            path, file = memory
            write_all(file, Secret(content))
            yield path
            return
    with temporary_file(Secret(content)) as path:
        yield path


def write_all(file: BinaryIO, content: Secret[bytes]) -> None:
    """Write the whole content to a file without a buffer.

    Raises ``OSError``, such as for a disk that is full.
    """
    written = 0
    # Without a buffer, one write may take a part only (write(2)).
    while written < len(content.reveal()):
        written += file.write(memoryview(content.reveal())[written:])
