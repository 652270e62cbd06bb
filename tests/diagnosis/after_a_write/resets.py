"""Clients of servers that have gone: each waits until the reset has arrived."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl

import pytest

from tests.support.server_tls import ServerTls, TlsVersion
from tests.support.tls_server import TlsServer

from ..conftest import GOOD, Refusals
from ..exchanges import TIMEOUT, client_context

on_linux = pytest.mark.skipif(
    not hasattr(select, "POLLRDHUP"), reason="what a reset leaves to be read is Linux's affair"
)
TLS13 = TlsVersion.TLS13
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
RESET = select.POLLHUP | select.POLLERR if hasattr(select, "poll") else 0


def wait_until(connection: socket.socket, events: int) -> None:
    """Until the socket shows one of these."""
    poll = select.poll()
    poll.register(connection.fileno(), events)
    assert poll.poll(TIMEOUT * 1000), "the other side does nothing"


def refused(refusals: Refusals, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection behind its handshake, whose server has sent its alert and gone."""
    plain = socket.create_connection(("127.0.0.1", refusals.port(TLS13)), TIMEOUT)
    connection = context.wrap_socket(plain, server_hostname=host)
    wait_until(connection, select.POLLRDHUP)
    return connection


def idle(refusals: Refusals, stack: contextlib.ExitStack) -> ssl.SSLSocket:
    """A connection whose server is there, and waits for a request."""
    leaf = refusals.authority.issue("server", hosts=[GOOD])
    server = stack.enter_context(TlsServer(ServerTls(leaf, (), version=TLS13)))
    plain = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
    context = client_context(refusals.authority)
    connection: ssl.SSLSocket = context.wrap_socket(plain, server_hostname=GOOD)
    return stack.enter_context(connection)
