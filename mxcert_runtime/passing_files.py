"""Files that exist only to pass something to OpenSSL, which takes some things by their path alone.

On Linux they are anonymous files in memory (memfd_create(2)) that no other user can open; elsewhere
temporary files of mode 0600, removed at once.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from os import access as may_access  # see `file_state`
from typing import BinaryIO

from .momentary_errors import is_momentary


@contextlib.contextmanager
def memory_file() -> Iterator[tuple[str, BinaryIO] | None]:
    """An empty file in memory and its path; ``None`` where the system has no such thing.

    Raises OSError where it could be had at another moment: the disk is no way out of that.
    """
    try:
        descriptor = os.memfd_create("mxcert")
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and is_momentary(error):
            raise
        yield None
        return
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        path = f"/proc/self/fd/{descriptor}"
        yield (path, file) if may_access(path, os.F_OK) else None


@contextlib.contextmanager
def temporary_file(content: bytes) -> Iterator[str]:
    """A file on the disk; what it holds must not be secret in itself."""
    descriptor, path = tempfile.mkstemp(prefix="mxcert-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield path
    finally:
        os.unlink(path)


@contextlib.contextmanager
def public_file(content: bytes) -> Iterator[str]:
    """The path of a file with content that is no secret."""
    with memory_file() as memory:
        if memory is not None:
            path, file = memory
            _write_all(file, content)
            yield path
            return
    with temporary_file(content) as path:
        yield path


def _write_all(file: BinaryIO, content: bytes) -> None:
    # Without a buffer, one write may take a part only (write(2)).
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
