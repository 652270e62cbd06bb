"""A TLS server in a process of its own, so quick that the time of a request is the client's.

HTTP/1.1 with keep-alive, one thread for each connection, and as little Python as will do: it reads
the head of a request and sends bytes that stand ready. ``/bytes/N`` answers with N bytes, every
other path with two. Run as a program it listens on a port for each :class:`Kind`, prints these
ports as JSON, and ends with its stdin.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import threading
from enum import Enum
from types import TracebackType
from typing import Any

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
_LAST_ANSWER = _ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
_CHUNK = bytes(1 << 20)
#: a client that hangs must not keep a thread forever
_TIMEOUT = 120.0


class Kind(Enum):
    """What a port does in its handshakes."""

    #: TLS 1.3, demands a client certificate
    DEMANDING = "demanding"
    #: TLS 1.3, asks for none
    OPEN = "open"
    #: TLS 1.2, demands a client certificate
    DEMANDING_1_2 = "demanding 1.2"


def make_server_context(kind: Kind, certificate: tuple[str, str], root: str) -> ssl.SSLContext:
    """The context of a port. Clients resume no sessions here, hence no tickets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.num_tickets = 0
    if kind is Kind.DEMANDING_1_2:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if kind is not Kind.OPEN:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(root)
    return context


class QuickServer:
    """A context manager; ``ports`` has the port of each kind."""

    def __init__(self, certificate: tuple[str, str], root: str) -> None:
        self._arguments = (*certificate, root)
        self._process: Any = None
        self.ports: dict[Kind, int] = {}

    def __enter__(self) -> QuickServer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.quick_server", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        ports = json.loads(self._process.stdout.readline())
        self.ports = {kind: ports[kind.value] for kind in Kind}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The end of its stdin is the end of the server.
        self._process.communicate(timeout=30)


def _serve(plain: socket.socket, context: ssl.SSLContext) -> None:
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.settimeout(_TIMEOUT)
    wrap = context.wrap_socket
    with contextlib.suppress(OSError), plain, wrap(plain, server_side=True) as connection:
        while _answer(connection):
            pass
        # A TLS end (close_notify) for the client, without a wait for that of the client.
        connection.settimeout(0)
        connection.unwrap()


def _answer(connection: ssl.SSLSocket) -> bool:
    """Answer one request; whether another may follow on this connection."""
    head = _read_head(connection)
    if not head:
        return False
    if head.startswith(b"GET /bytes/"):
        _send_bytes(connection, int(head.split(b" ", 2)[1].rpartition(b"/")[2]))
        return True
    is_last = b"connection: close" in head.lower()
    connection.sendall(_LAST_ANSWER if is_last else _ANSWER)
    return not is_last


def _read_head(connection: ssl.SSLSocket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        received = connection.recv(65536)
        if not received:
            return b""
        head += received
    return head


def _send_bytes(connection: ssl.SSLSocket, amount: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % amount)
    view = memoryview(_CHUNK)
    while amount > 0:
        connection.sendall(view[:amount])
        amount -= len(view)


def _accept(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=_serve, args=(plain, context), daemon=True).start()


def _listen(kind: Kind, certificate: tuple[str, str], root: str) -> int:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    arguments = listener, make_server_context(kind, certificate, root)
    threading.Thread(target=_accept, args=arguments, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def main(certificate: str, key: str, root: str) -> None:
    """Serve until stdin ends."""
    ports = {kind.value: _listen(kind, (certificate, key), root) for kind in Kind}
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
