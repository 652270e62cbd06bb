"""An HTTPS server that answers every request with JSON of what it sees of the client.

HTTP/1.1 with keep-alive. Paths: ``/redirect?to=URL`` answers 307; a path that starts with
``/private`` asks for the certificate then, where the server's demand is ``LATER``; every other
path only answers.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .listener import IPV4, Records
from .server_tls import Demand, ServerConnection, ServerTls, ask_after_handshake, observe
from .tls_listener import HttpHandler, TlsListener


class TlsServer(TlsListener):
    """``answers`` has the JSON of each request."""

    def __init__(self, tls: ServerTls, addresses: Sequence[str] = IPV4) -> None:
        super().__init__(tls, addresses)
        self.answers: Records[dict[str, Any]] = Records()

    def _converse(self, connection: ServerConnection, number: int) -> None:
        _Handler(connection, number, self)


class _Handler(HttpHandler):
    def __init__(self, connection: ServerConnection, number: int, owner: TlsServer) -> None:
        self._connection = connection
        self._number = number
        self._owner = owner
        super().__init__(connection)

    def _respond(self) -> None:
        self._take_body()
        path = urlsplit(self.path)
        if path.path == "/redirect":
            self.send_whole(307, {"Location": parse_qs(path.query)["to"][0]}, b"")
            return
        status, error = self._ask_if_private(path.path)
        answer = self._answer() if error is None else {**self._answer(), "error": error}
        self._owner.answers.append(answer)
        content = json.dumps(answer).encode("ascii")
        self.send_whole(status, {"Content-Type": "application/json"}, content)

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
