"""Connections by ``ssl`` itself that can offer a session, and what the server then saw."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from tests.support.listener import TIMEOUT
from tests.support.raw_http import MemoryConnection, body_of, request_to
from tests.support.tls_server import TlsServer

#: SHA-256 of the client's certificate, and whether the session was resumed
Sight = tuple[Optional[str], bool]


@dataclass(frozen=True)
class Exchange:
    """One request: what the server saw of it, and the session that the client can keep."""

    answer: dict[str, Any]
    session: ssl.SSLSession

    @property
    def sight(self) -> Sight:
        """What the server saw, as far as it matters here."""
        return self.answer["fingerprint"], self.answer["resumed"]


#: context, server, host and session in, what happened out
Dial = Callable[..., Exchange]


def by_socket(
    context: ssl.SSLContext, server: TlsServer, host: str, session: Any = None
) -> Exchange:
    """``SSLContext.wrap_socket``."""
    plain = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
    with plain, context.wrap_socket(plain, server_hostname=host, session=session) as connection:
        connection.sendall(request_to(host))
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return Exchange(body_of(answer), _taken(connection))


def by_memory(
    context: ssl.SSLContext, server: TlsServer, host: str, session: Any = None
) -> Exchange:
    """``SSLContext.wrap_bio``."""
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain:
        return over_stream(plain, context, host, session)


def over_stream(
    stream: socket.socket, context: ssl.SSLContext, host: str, session: Any = None
) -> Exchange:
    """``SSLContext.wrap_bio`` over a stream, which may speak TLS itself."""
    connection = MemoryConnection(stream, context, host, session)
    answer = connection.exchange(request_to(host))
    return Exchange(body_of(answer), _taken(connection.tls))


def _taken(connection: ssl.SSLSocket | ssl.SSLObject) -> ssl.SSLSession:
    session = connection.session
    assert session is not None
    return session


def name_of(dial: Dial) -> str:
    """The name of a way to dial in the list of tests."""
    return dial.__name__
