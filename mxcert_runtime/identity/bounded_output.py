"""Runs a program and takes what it prints, within bounds of time and size, and out of sight.

Past a bound the program is ended, together with what it has started. What it started and left
running when it ended by itself, such as an agent, goes on.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

from ..base import Secret, dataclass

_CHUNK = 65536
#: for a process that was killed to be gone
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Output:
    """What a program printed; more than the bound where it printed too much."""

    printed: Secret[bytes]
    #: negative where a signal ended it
    status: int


def output_of(
    arguments: Sequence[str], environ: Mapping[str, str], *, seconds: float, most: int
) -> Output | None:
    """The output of a program, which has no input, no shell and this environment.

    ``None`` where it has not ended in time. Raises OSError or ValueError where it cannot be
    started.
    """
    deadline = time.monotonic() + seconds
    process = subprocess.Popen(  # noqa: S603 - the settings say what to run
        list(arguments),
        bufsize=0,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        read = _read_polling if os.name == "posix" else _read_in_thread
        printed = read(process, deadline, most)
        if printed is None or len(printed.reveal()) > most:
            return None if printed is None else Output(printed, 0)
        return Output(printed, process.wait(max(deadline - time.monotonic(), 0.0)))
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def _read_polling(
    process: subprocess.Popen[bytes], deadline: float, most: int
) -> Secret[bytes] | None:
    """All that is printed, up to a little over the bound; ``None`` where time runs out."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    descriptor, chunks, left = process.stdout.fileno(), list[Secret[bytes]](), most + 1
    with process.stdout, selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while left > 0:
            if not selector.select(max(deadline - time.monotonic(), 0.0)):
                return None
            chunk = Secret(os.read(descriptor, min(left, _CHUNK)))
            if not chunk:
                break
            chunks.append(chunk)
            left -= len(chunk.reveal())
    return Secret(b"".join(each.reveal() for each in chunks))


def _read_in_thread(
    process: subprocess.Popen[bytes], deadline: float, most: int
) -> Secret[bytes] | None:
    """The output of a process, read in a thread: pipes cannot be polled on every system."""
    read: list[Secret[bytes]] = []

    def read_all() -> None:
        # The thread alone closes what it reads: nobody may get its descriptor meanwhile.
        assert process.stdout is not None  # noqa: S101 - it was asked for
        chunks, left = list[Secret[bytes]](), most + 1
        with process.stdout as stream, contextlib.suppress(OSError, ValueError):
            while left > 0:
                chunk = Secret(stream.read(min(left, _CHUNK)))
                if not chunk:
                    break
                chunks.append(chunk)
                left -= len(chunk.reveal())
            read.append(Secret(b"".join(each.reveal() for each in chunks)))

    thread = threading.Thread(target=read_all, daemon=True)
    thread.start()
    thread.join(max(deadline - time.monotonic(), 0.0))
    return read[0] if read else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and what it has started, unless it has ended; nobody else can have its number yet."""
    if process.returncode is not None:
        return
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
