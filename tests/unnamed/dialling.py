"""Ways to make a TLS connection without naming the host to TLS; each asks for one answer.

Those of CERTAIN leave no doubt about the name that was dialled, those of UNCERTAIN do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any

from tests.support.listener import TIMEOUT
from tests.support.raw_http import MemoryConnection

#: makes a connection to a host and port of loopback, and gives the fingerprint that was seen
Way = Callable[[str, int, ssl.SSLContext], "str | None"]

_REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def ask(connection: Any) -> str | None:
    """The fingerprint that the test server saw on a connection, which is closed."""
    with connection:
        connection.sendall(_REQUEST)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return _fingerprint(answer)


def _fingerprint(answer: bytes) -> str | None:
    seen: str | None = json.loads(answer.partition(b"\r\n\r\n")[2])["fingerprint"]
    return seen


def dial(host: str, port: int) -> socket.socket:
    """A socket of ``socket.create_connection``."""
    return socket.create_connection((host, port), TIMEOUT)


def created(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """``create_connection``, then ``wrap_socket``: kazoo, stomp.py, oracledb."""
    return ask(context.wrap_socket(dial(host, port)))


def connected(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """``connect`` of a socket, then ``wrap_socket``: scripts."""
    plain = socket.socket()
    plain.connect((host, port))
    return ask(context.wrap_socket(plain))


def connected_ex(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """The same by ``connect_ex``."""
    plain = socket.socket()
    assert plain.connect_ex((host, port)) == 0
    return ask(context.wrap_socket(plain))


def wrapped_first(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """``wrap_socket``, then ``connect``: the documentation of ``ssl``, pymemcache."""
    with context.wrap_socket(socket.socket()) as connection:
        connection.connect((host, port))
        return ask(connection)


def wrapped_first_ex(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """The same by ``connect_ex``."""
    with context.wrap_socket(socket.socket()) as connection:
        assert connection.connect_ex((host, port)) == 0
        return ask(connection)


def handshake_later(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """The handshake by itself: py-amqp, ldap3."""
    connection = context.wrap_socket(dial(host, port), do_handshake_on_connect=False)
    connection.do_handshake()
    return ask(connection)


def detached(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """Another object for the same socket."""
    return ask(context.wrap_socket(socket.socket(fileno=dial(host, port).detach())))


def duplicated(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """Another descriptor of the same socket, and a file on it."""
    with dial(host, port) as plain, plain.makefile("rb"):
        copy = socket.socket(fileno=os.dup(plain.fileno()))
        return ask(context.wrap_socket(copy))


def tls_anew(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """A failed handshake, whose socket is used once more: what was dialled stays dialled."""
    plain = dial(host, port)
    copy = plain.dup()
    context.wrap_socket(plain, do_handshake_on_connect=False).close()
    return ask(context.wrap_socket(copy))


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str | None:
    writer.write(_REQUEST)
    answer = await reader.read()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return _fingerprint(answer)


def opened(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """asyncio, with SNI and the check of the name turned off: aiormq."""

    async def main() -> str | None:
        return await _converse(
            *await asyncio.open_connection(host, port, ssl=context, server_hostname="")
        )

    return asyncio.run(main())


def opened_on_socket(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """asyncio on a socket that the program has dialled."""

    async def main() -> str | None:
        return await _converse(
            *await asyncio.open_connection(sock=dial(host, port), ssl=context, server_hostname="")
        )

    return asyncio.run(main())


def started(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """asyncio, dialled without TLS, and ``start_tls`` without a name: oracledb."""

    async def main() -> str | None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.create_connection(lambda: protocol, host, port)
        secured = await loop.start_tls(transport, protocol, context)
        assert secured is not None
        secured.write(_REQUEST)
        answer = await reader.read()
        secured.close()
        return _fingerprint(answer)

    return asyncio.run(main())


CERTAIN: tuple[Way, ...] = (
    created,
    connected,
    connected_ex,
    wrapped_first,
    wrapped_first_ex,
    handshake_later,
    detached,
    duplicated,
    tls_anew,
    opened,
    opened_on_socket,
    started,
)


def by_address(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """The program has resolved the name by itself: redis-py, py-amqp."""
    return created("127.0.0.1", port, context)


def wrapped_first_by_address(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """The same, wrapped first: cassandra-driver."""
    return wrapped_first("127.0.0.1", port, context)


def opened_by_address(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """The same with asyncio."""
    return opened("127.0.0.1", port, context)


def in_memory(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """Memory BIOs: nobody tells where they lead."""
    with dial(host, port) as plain:
        return _fingerprint(MemoryConnection(plain, context, None).exchange(_REQUEST))


def undecided(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """A socket that was on its way already when a name was dialled."""
    plain = socket.socket()
    plain.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        plain.connect(("127.0.0.1", port))
    plain.setblocking(True)
    with contextlib.suppress(OSError):
        plain.connect((host, port))
    return ask(context.wrap_socket(plain))


#: those that know an address
WITH_ADDRESS: tuple[Way, ...] = (by_address, wrapped_first_by_address, opened_by_address, undecided)
