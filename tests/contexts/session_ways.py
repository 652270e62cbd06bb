"""The ways in which a client gives its connection a session to resume."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any, Optional

import pytest

from tests.contexts.ground import GOOD
from tests.contexts.verdicts import ask, connect
from tests.support.listener import TIMEOUT
from tests.support.tls_server import TlsServer

Answer = tuple[Optional[str], bool]


def session_of(context: ssl.SSLContext, server: TlsServer, host: str = GOOD) -> ssl.SSLSession:
    """A session of a connection; with TLS 1.3 the ticket comes before the first answer."""
    with connect(context, server.port, host) as connection:
        ask(connection, host)
        session = connection.session
    assert session is not None
    return session


def by_argument(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    with connect(context, server.port, host, session=session) as connection:
        return _answer(connection, host)


def by_attribute(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    plain = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
    with context.wrap_socket(
        plain, server_hostname=host, do_handshake_on_connect=False
    ) as connection:
        connection.session = session
        connection.do_handshake()
        return _answer(connection, host)


def by_attribute_before_connecting(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    with context.wrap_socket(socket.socket(), server_hostname=host) as connection:
        connection.settimeout(TIMEOUT)
        connection.session = session
        connection.connect(("127.0.0.1", server.port))
        return _answer(connection, host)


def by_memory(context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD) -> Answer:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=host, session=session)
    return _answer_of_object(connection, incoming, outgoing, server.port)


def by_memory_attribute(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=host)
    connection.session = session
    return _answer_of_object(connection, incoming, outgoing, server.port)


def _answer(connection: ssl.SSLSocket, host: str) -> Answer:
    answer = ask(connection, host)
    assert answer["resumed"] == connection.session_reused
    return answer["fingerprint"], answer["resumed"]


def _answer_of_object(
    connection: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, port: int
) -> Answer:
    class Pumped:
        """As much of a socket as a question needs."""

        session_reused = property(lambda self: connection.session_reused)

        def sendall(self, content: bytes) -> None:
            self._until_done(lambda: connection.write(content))

        def recv(self, size: int) -> Any:
            return self._until_done(lambda: connection.read(size))

        def _until_done(self, step: Callable[[], Any]) -> Any:
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    incoming.write(plain.recv(65536))
                else:
                    plain.sendall(outgoing.read())
                    return result

    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain:
        pumped: Any = Pumped()
        pumped._until_done(connection.do_handshake)
        return _answer(pumped, GOOD)


WAYS = [
    by_argument,
    by_attribute,
    by_attribute_before_connecting,
    by_memory,
    by_memory_attribute,
]
Way = Callable[..., Answer]
every_way = pytest.mark.parametrize("resume", WAYS)
