"""One GET as bytes, for tests that speak through a connection of their own; loads little."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from typing import Any


def request_to(host: str) -> bytes:
    """A GET, after which the server closes."""
    return f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii")


def body_of(answer: bytes) -> Any:
    """The JSON in a whole answer."""
    return json.loads(answer.partition(b"\r\n\r\n")[2])


class MemoryConnection:
    """A client's TLS over memory BIOs (``SSLContext.wrap_bio``), pumped through a stream."""

    def __init__(
        self, stream: socket.socket, context: ssl.SSLContext, host: str | None, session: Any = None
    ) -> None:
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=host, session=session
        )

    def exchange(self, request: bytes) -> bytes:
        """Handshake, the request, and all that the server answers until it closes."""
        self._pumped(self.tls.do_handshake)
        self._pumped(lambda: self.tls.write(request))
        answer = b""
        while received := self._pumped(lambda: self.tls.read(65536)):
            answer += received
        return answer

    def _pumped(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._stream.sendall(self._outgoing.read())
                received = self._stream.recv(65536)
                self._incoming.write(received) if received else self._incoming.write_eof()
            else:
                self._stream.sendall(self._outgoing.read())
                return result
