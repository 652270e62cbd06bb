"""A terminal on which ``mxcert init`` is answered."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

from tests.cli.processes import MODULE, TIMEOUT, command_environment


def at_terminal(folder: Path, answers: list[str], *arguments: str) -> str:
    """What the command writes to a terminal on which these answers are typed, each when asked."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*MODULE, "init", *arguments],
        stdin=its,
        stdout=its,
        stderr=its,
        env=command_environment(folder),
        start_new_session=True,
        preexec_fn=lambda: _take_terminal(its),
    )
    os.close(its)
    told = ""
    try:
        while chunk := os.read(ours, 65536):
            told += chunk.decode()
            if answers and told.rstrip(" ").endswith(":"):
                os.write(ours, f"{answers.pop(0)}\n".encode())
    except OSError:  # the end of a terminal is an error on Linux
        pass
    finally:
        os.close(ours)
    process.wait(TIMEOUT)
    return told.replace("\r\n", "\n")


def _take_terminal(descriptor: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)
