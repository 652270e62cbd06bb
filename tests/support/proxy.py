"""An HTTP proxy, in plain text or behind TLS of its own, that tunnels to loopback only.

Whatever host a client names, a CONNECT tunnel goes to 127.0.0.1 at the port named, so no test can
leave this machine. A request for a whole URL, which is to be forwarded, it answers by itself, with
JSON of what it sees of the client.
"""

from __future__ import annotations

import base64
import contextlib
import json
import select
import socket
import ssl
from collections.abc import Sequence

from .listener import IPV4, TIMEOUT, ListeningServer, Records
from .server_tls import (
    HandshakeFailure,
    Seen,
    ServerConnection,
    ServerEnd,
    ServerTls,
    close_politely,
    observe,
)

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_NOT_CONNECT = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"
_UNREACHABLE = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
_WHO = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\n"
    b'Proxy-Authenticate: Basic realm="test"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
)


class ConnectProxy(ListeningServer):
    """A context manager; with ``tls`` the client speaks TLS to the proxy itself.

    ``tunnels`` has the ``host:port`` of each CONNECT, ``forwarded`` the URL of each request that is
    to be forwarded; ``seen`` and ``failures`` have the handshakes of the proxy's own TLS. With
    ``credentials``, ``name:password``, whoever does not give them gets 407.
    """

    def __init__(
        self,
        tls: ServerTls | None = None,
        credentials: str | None = None,
        addresses: Sequence[str] = IPV4,
    ) -> None:
        super().__init__(addresses)
        self._end = None if tls is None else ServerEnd(tls)
        self._wanted = None if credentials is None else base64.b64encode(credentials.encode())
        self.tunnels: Records[str] = Records()
        self.forwarded: Records[str] = Records()
        self.seen: Records[Seen] = Records() if self._end is None else self._end.seen
        self.failures: Records[HandshakeFailure] = (
            Records() if self._end is None else self._end.failures
        )

    def url(self, host: str = "localhost") -> str:
        """The URL of this proxy; an IPv6 address needs its brackets."""
        return f"{'http' if self._end is None else 'https'}://{host}:{self.port}"

    def _serve(self, plain: socket.socket, number: int) -> None:
        if self._end is None:
            self._tunnel(plain)
            return
        connection = self._end.handshake(plain, number)
        if connection is None:
            return
        try:
            self._tunnel(connection)
        finally:
            close_politely(connection)

    def _tunnel(self, client: socket.socket) -> None:
        head = _read_head(client)
        while head:
            method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ", 2)
            if self._wanted is not None and self._wanted not in head:
                client.sendall(_WHO)
                return
            if method == "CONNECT":
                self._connect(client, target)
                return
            if "://" not in target:
                client.sendall(_NOT_CONNECT)
                return
            self._forward(client, target)
            head = _read_head(client)

    def _forward(self, client: socket.socket, target: str) -> None:
        self.forwarded.append(target)
        seen = {}
        if isinstance(client, ServerConnection):
            seen = observe(client, client.getpeername()[1]).as_data()
        body = json.dumps(seen).encode("ascii")
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def _connect(self, client: socket.socket, target: str) -> None:
        self.tunnels.append(target)
        try:
            server = socket.create_connection(("127.0.0.1", _port_of(target)), TIMEOUT)
        except OSError:
            client.sendall(_UNREACHABLE)
            return
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with server:
            client.sendall(_ESTABLISHED)
            relay(client, server)


def _port_of(target: str) -> int:
    return int(target.rpartition(":")[2])


def _read_head(client: socket.socket) -> bytes:
    """The head of the next request; empty where the client has closed instead."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = client.recv(65536)
        if not received:
            return b""
        head += received
    return head


def relay(client: socket.socket, server: socket.socket) -> None:
    """Pass on what each of the two says, until one of them closes."""
    # One thread for both directions: an SSL object must not be used by two threads at a time.
    partner = {client: server, server: client}
    while True:
        ready, _, _ = select.select([client, server], [], [], TIMEOUT)
        if not ready:
            return
        for source in ready:
            for received in _available(source):
                if not received:
                    return
                partner[source].sendall(received)


def _available(source: socket.socket) -> list[bytes]:
    """All that can be read at once; an empty entry is the end of the stream."""
    received: list[bytes] = []
    source.settimeout(0)
    try:
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
            received.append(source.recv(65536))
            while isinstance(source, ssl.SSLSocket) and received[-1] and source.pending():
                received.append(source.recv(65536))
    finally:
        source.settimeout(TIMEOUT)
    return received
