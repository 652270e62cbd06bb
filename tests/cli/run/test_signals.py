"""``mxcert run``: terminal and signals reach the program as they do without it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.installation import TIMEOUT, Installation

_SERVICE = """\
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stdin.readline().strip(), flush=True)
while True:
    signal.pause()
"""


class _Terminal:
    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master

    def type(self, text: bytes) -> None:
        """What a user types."""
        os.write(self._master, text)

    def read_until(self, text: bytes) -> None:
        """Wait for an output; ``AssertionError`` where it stays out."""
        seen = b""
        while text not in seen:
            ready, _, _ = select.select([self._master], [], [], TIMEOUT)
            assert ready, seen
            seen += os.read(self._master, 4096)


#: The first terminal that a session's leader opens is the one that sends it signals. Ctrl-C must
#: not stay ignored where it is so for this process, as for what a shell starts in the background.
_IN_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.dup2(os.open(sys.argv[1], os.O_RDWR), 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


@contextmanager
def _terminal(installation: Installation, settings: dict[str, str]) -> Iterator[_Terminal]:
    """The service above, in the foreground of a terminal, with a line typed into it."""
    own, other = os.openpty()
    with open(own, "r+b", buffering=0) as master, open(other, "r+b", buffering=0) as slave:
        start = [sys.executable, "-c", _IN_TERMINAL, os.ttyname(slave.fileno())]
        with subprocess.Popen(
            [*start, installation.script("mxcert"), "run", "--", "python", "-c", _SERVICE],
            env=installation.environment(settings),
            stdout=slave,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                yield _Terminal(process, master.fileno())
            finally:
                process.kill()


def test_a_terminal(installation: Installation, settings: dict[str, str]) -> None:
    """The program has the terminal: what is typed reaches it, Ctrl-C ends it as it does alone."""
    with _terminal(installation, settings) as terminal:
        terminal.type(b"typed\n")
        terminal.read_until(b"True True typed")

        terminal.type(b"\x03")

        assert -signal.SIGINT == terminal.process.wait(TIMEOUT)


def test_a_signal(installation: Installation, settings: dict[str, str]) -> None:
    """A signal for the process reaches the program, whose exit status is that of its handler."""
    with _terminal(installation, settings) as terminal:
        terminal.type(b"typed\n")
        terminal.read_until(b"True True typed")

        terminal.process.terminate()

        assert 7 == terminal.process.wait(TIMEOUT)
