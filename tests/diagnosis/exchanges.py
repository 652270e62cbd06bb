"""One connection of a client to its end: handshake, a few bytes, and what comes back."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from typing import Any

from tests.support.pki import Authority, Leaf

TIMEOUT = 60


def client_context(authority: Authority, leaf: Leaf | None = None, folder: Any = None) -> Any:
    """A client's context that trusts one authority, and has the leaf loaded as programs do it."""
    context = ssl.create_default_context(cadata=authority.pem.decode("ascii"))
    if leaf is not None:
        context.load_cert_chain(*leaf.write_pem(folder))
    return context


def exchange(context: ssl.SSLContext, host: str, port: int) -> bytes:
    """Shake hands, send a request, and read what comes back first."""
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    with plain, context.wrap_socket(plain, server_hostname=host) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.recv(65536)


def over_memory(context: ssl.SSLContext, host: str, port: int) -> bytes:
    """The same with memory BIOs."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=host)
    with closing(socket.create_connection(("127.0.0.1", port), TIMEOUT)) as plain:

        def pumped(step: Any) -> Any:
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    incoming.write(plain.recv(65536))
                finally:
                    plain.sendall(outgoing.read())

        pumped(connection.do_handshake)
        pumped(lambda: connection.write(b"GET / HTTP/1.0\r\n\r\n"))
        answer: bytes = pumped(lambda: connection.read(65536))
        return answer


def failure_of(context: ssl.SSLContext, host: str, port: int, way: Any = exchange) -> OSError:
    """The error of an exchange that has to fail."""
    try:
        way(context, host, port)
    except OSError as error:
        return error
    raise AssertionError("the exchange did not fail")
