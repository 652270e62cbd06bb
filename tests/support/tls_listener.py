"""What servers that speak TLS have in common; what they say, and before what, is their own.

HTTP/1.1 servers also share the form of their handler.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any

from .listener import IPV4, TIMEOUT, ListeningServer, Records
from .server_tls import (
    HandshakeFailure,
    Seen,
    ServerConnection,
    ServerEnd,
    ServerTls,
    close_politely,
)


class TlsListener(ListeningServer):
    """A context manager; stopping ends all of its connections.

    ``seen`` has one entry for each good handshake, ``failures`` one for each bad.
    """

    def __init__(self, tls: ServerTls, addresses: Sequence[str] = IPV4) -> None:
        self.tls = tls
        self._end = ServerEnd(tls)
        super().__init__(addresses)

    @property
    def seen(self) -> Records[Seen]:
        """What was seen at the end of each handshake."""
        return self._end.seen

    @property
    def failures(self) -> Records[HandshakeFailure]:
        """The handshakes that failed."""
        return self._end.failures

    def url(self, host: str = "localhost", path: str = "/") -> str:
        """The URL of a path on this server; an IPv6 address gets its brackets."""
        return f"https://{f'[{host}]' if ':' in host else host}:{self.port}{path}"

    def _serve(self, plain: socket.socket, number: int) -> None:
        connection = self._end.handshake(plain, number)
        if connection is None:
            return
        try:
            self._converse(connection, number)
        finally:
            close_politely(connection)

    def _converse(self, connection: ServerConnection, number: int) -> None:
        """Speak with one client until either side has enough."""
        raise NotImplementedError


class HttpHandler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive over a connection after its handshake."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = TIMEOUT
    disable_nagle_algorithm = True

    def __init__(self, connection: ServerConnection) -> None:
        super().__init__(connection, connection.getpeername(), None)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the records hold what tests want to know."""

    def send_whole(self, status: int, headers: dict[str, str], content: bytes) -> None:
        """Send an answer; one to HEAD goes without its content."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
