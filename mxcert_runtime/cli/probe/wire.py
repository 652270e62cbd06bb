"""A probe's connection, byte by byte, and the error of a server that answers otherwise.

Nothing is read beyond what is awaited, so that no byte that came before TLS can be taken for one
that came inside it (CVE-2011-0411 and its kin).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from ...base.printable import printable
from ...errors import MxcertError

_LONGEST_LINE = 4096


class DialogueError(MxcertError):
    """The other side does not answer as its protocol has it."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem, remedy)

    def __str__(self) -> str:
        return printable(self.problem)


class Wire:
    """A connected socket, in plain text or in TLS, of which each wait has the same limit."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._connection.settimeout(self._timeout)
        self._connection.sendall(data)

    def read(self, count: int) -> bytes:
        """This many bytes, in time; ``ConnectionAbortedError`` where the other side closes."""
        return self._read_while(lambda content: len(content) < count)

    def read_line(self) -> str:
        """A line without its end; what is no ASCII in it is shown as escapes."""
        content = self._read_while(
            lambda content: not content.endswith(b"\n") and len(content) < _LONGEST_LINE
        )
        return content.decode("ascii", "backslashreplace").rstrip("\r\n")

    def _read_while(self, wanting: Callable[[bytes], bool]) -> bytes:
        deadline = time.monotonic() + self._timeout
        content = b""
        while wanting(content):
            # Never 0, which would be a socket that does not wait at all.
            self._connection.settimeout(max(deadline - time.monotonic(), 0.001))
            byte = self._connection.recv(1)
            if not byte:
                raise ConnectionAbortedError("the other side closed instead of answering")
            content += byte
        return content
