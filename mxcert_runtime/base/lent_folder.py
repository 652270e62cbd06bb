"""Files lent to libraries that open them by their path, until they are taken back.

Other than what passes to ``load_cert_chain`` within one call, these are there while code of others
runs: it may raise, fork, hand a path to a thread, or keep it and come again. Their paths are
therefore never used twice. ``/proc/self/fd/7`` by itself would lead, a moment later or in a forked
process, to whatever has that number then, such as the key of another identity.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO

from .passing_files import memory_file, write_all
from .secret import Secret

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class LentFolder:
    """A folder of mode 0700, of the process that has made it, with files of mode 0600."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._stack = contextlib.ExitStack()
        self._folder = tempfile.mkdtemp(prefix="mxcert-")

    def put_in_memory(self, name: str, content: Secret[bytes]) -> str | None:
        """The path of a link to a file that is on no disk; ``None`` where there is no such thing.

        Raises OSError where it could be had at another moment.
        """
        with contextlib.ExitStack() as undone:
            memory = undone.enter_context(memory_file())
            if memory is None:
                return None
            file, path = memory[1], os.path.join(self._folder, name)
            undone.callback(self._as_owner, _wipe, file)
            write_all(file, content)
            os.symlink(f"/proc/{self._owner}/fd/{file.fileno()}", path)
            undone.callback(self._as_owner, os.unlink, path)
            if not _leads_to(path, file):
                return None
            self._stack.enter_context(undone.pop_all())
        return path

    def put_on_disk(self, name: str, content: Secret[bytes]) -> str:
        """The path of a file with what is encrypted, or no secret; raises OSError."""
        path = os.path.join(self._folder, name)
        descriptor = os.open(path, _NEW_FILE, 0o600)
        with contextlib.ExitStack() as undone:
            undone.callback(self._as_owner, os.unlink, path)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                write_all(file, content)
            self._stack.enter_context(undone.pop_all())
        return path

    def _as_owner(self, end: Callable[[Any], object], what: Any) -> None:
        """A forked process has all this in common with the one that goes on using it."""
        if os.getpid() == self._owner:
            # Somebody else may have cleaned up, and nothing is to be said at the end of a block.
            with contextlib.suppress(OSError):
                end(what)

    def close(self) -> None:
        """Wipe, close and remove all that is in it; in a forked process only close.

        It can be done again, for what a thread has put in meanwhile.
        """
        self._stack.close()
        self._as_owner(os.rmdir, self._folder)


def _leads_to(path: str, file: BinaryIO) -> bool:
    # A /proc of another PID namespace knows this process by another number.
    with contextlib.suppress(OSError):
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    return False


def _wipe(file: BinaryIO) -> None:
    """Overwrite it, since another process may hold it open."""
    descriptor = file.fileno()
    os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
    os.ftruncate(descriptor, 0)
