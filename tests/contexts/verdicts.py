"""One connection to a test server, and what became of it as a value that can be compared."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

from tests.support.listener import TIMEOUT

_REQUEST = "GET {path} HTTP/1.1\r\nHost: {host}\r\n{close}\r\n"


@dataclass(frozen=True)
class Verdict:
    """Accepted (``error`` is empty), or type, reason and verify code of the exception.

    ``answer`` is what the server saw; it takes no part in comparisons.
    """

    error: str = ""
    reason: str | None = None
    verify_code: int | None = None
    answer: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def accepted(self) -> bool:
        return not self.error

    @property
    def fingerprint(self) -> str | None:
        """The client certificate that the server saw; ``None`` also where there was no answer."""
        fingerprint: str | None = self.answer.get("fingerprint")
        return fingerprint


def attempt(context: ssl.SSLContext, port: int, host: str, **options: Any) -> Verdict:
    """Connect, send one request, and tell what happened."""
    try:
        with connect(context, port, host, **options) as connection:
            return Verdict(answer=ask(connection, host))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None)
        return Verdict(type(error).__name__, reason, getattr(error, "verify_code", None))


def connect(context: ssl.SSLContext, port: int, host: str | None, **options: Any) -> ssl.SSLSocket:
    """A connection after its handshake; ``options`` go to ``wrap_socket``."""
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    try:
        return context.wrap_socket(plain, server_hostname=host, **options)
    except BaseException:
        plain.close()
        raise


def ask(
    connection: ssl.SSLSocket, host: str, path: str = "/", *, last: bool = True
) -> dict[str, Any]:
    """The answer of a :class:`~tests.support.tls_server.TlsServer` to one request."""
    close = "Connection: close\r\n" if last else ""
    connection.sendall(_REQUEST.format(host=host, path=path, close=close).encode())
    received = b""
    while True:
        head, separator, body = received.partition(b"\r\n\r\n")
        if separator and len(body) >= _length(head):
            answer: dict[str, Any] = json.loads(body)
            return answer
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionResetError("the server closed before its answer was complete")
        received += piece


def _length(head: bytes) -> int:
    names = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    return int(names[b"Content-Length"])
