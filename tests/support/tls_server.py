"""An HTTPS server that answers every request with JSON of what it sees of the client.

HTTP/1.1 with keep-alive. Paths: ``/redirect?to=URL`` answers 307; a path that starts with
``/private`` asks for the certificate then, where the server's demand is ``LATER``; every other
path only answers.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .listener import IPV4, TIMEOUT, Listener, Records
from .server_tls import (
    Demand,
    HandshakeFailure,
    Seen,
    ServerConnection,
    ServerEnd,
    ServerTls,
    ask_after_handshake,
    close_politely,
    observe,
)


class TlsServer:
    """A context manager; stopping ends all of its connections.

    ``seen`` has one entry for each good handshake, ``failures`` one for each bad, ``answers`` the
    JSON of each request.
    """

    def __init__(self, tls: ServerTls, addresses: Sequence[str] = IPV4) -> None:
        self.tls = tls
        self._end = ServerEnd(tls)
        self._listener = Listener(self._serve, addresses)
        self.answers: Records[dict[str, Any]] = Records()

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._listener.port

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted."""
        return self._listener.connections

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

    def __enter__(self) -> TlsServer:
        self._listener.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.__exit__(kind, error, traceback)

    def _serve(self, plain: socket.socket, number: int) -> None:
        connection = self._end.handshake(plain, number)
        if connection is None:
            return
        try:
            _Handler(connection, number, self)
        finally:
            close_politely(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = TIMEOUT
    disable_nagle_algorithm = True

    def __init__(self, connection: ServerConnection, number: int, owner: TlsServer) -> None:
        self._connection = connection
        self._number = number
        self._owner = owner
        super().__init__(connection, connection.getpeername(), None)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the records hold what tests want to know."""

    def _respond(self) -> None:
        self._take_body()
        path = urlsplit(self.path)
        if path.path == "/redirect":
            self._send(307, {"Location": parse_qs(path.query)["to"][0]}, b"")
            return
        status, error = self._ask_if_private(path.path)
        answer = self._answer() if error is None else {**self._answer(), "error": error}
        self._owner.answers.append(answer)
        content = json.dumps(answer).encode("ascii")
        self._send(status, {"Content-Type": "application/json"}, content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond

    def _take_body(self) -> None:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True  # what is left unread would be taken for a request
        self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _ask_if_private(self, path: str) -> tuple[int, str | None]:
        later = self._owner.tls.effective_demand is Demand.LATER
        if not later or not path.startswith("/private"):
            return 200, None
        try:
            ask_after_handshake(self._connection)
        except ssl.SSLError as error:
            return 403, error.reason
        return 200, None

    def _answer(self) -> dict[str, Any]:
        seen = observe(self._connection, self._number).as_data()
        host = self.headers.get("Host")
        return {**seen, "method": self.command, "path": self.path, "host": host}

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
