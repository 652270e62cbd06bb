"""Servers that close a connection the moment they are through with it, read or unread.

Those of ``tests.support`` wait for the client to go, so that none of its writes meets a reset.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

from tests.support.listener import TIMEOUT, bind_loopback
from tests.support.server_tls import ServerTls, server_context

#: not to linger: to close is a reset, although everything was read
_RESET = b"\1\0\0\0\0\0\0\0"


class AbruptServer:
    """A context manager; it shakes hands, sends its answer, and closes without reading on."""

    def __init__(self, tls: ServerTls, answer: bytes = b"") -> None:
        self._context = server_context(tls)
        self._answer = answer
        (self._socket,) = bind_loopback()
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept_all, daemon=True)

    def __enter__(self) -> AbruptServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        # Wakes `accept`, which closing would not.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(TIMEOUT)
        self._socket.close()

    def _accept_all(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._socket.accept()
                plain.settimeout(TIMEOUT)
                with plain, contextlib.suppress(OSError):
                    self._serve(plain)

    def _serve(self, plain: socket.socket) -> None:
        with self._context.wrap_socket(plain, server_side=True) as connection:
            connection.sendall(self._answer)


class EndsWithAlert(AbruptServer):
    """Its answer follows its first flight in the clear, with a reset behind it.

    In TLS 1.2 it is there before the client has written its certificate.
    """

    def _serve(self, plain: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        while not outgoing.pending:
            incoming.write(plain.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
        plain.sendall(outgoing.read() + self._answer)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
