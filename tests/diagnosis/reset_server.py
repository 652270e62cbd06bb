"""A server of TLS 1.3 that finishes its handshake, reads a byte, and resets the connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from tests.support.listener import TIMEOUT, bind_loopback
from tests.support.server_tls import ServerTls, server_context

_RESET = struct.pack("ii", 1, 0)


class ResetServer:
    """A context manager; it serves one connection."""

    def __init__(self, tls: ServerTls) -> None:
        self._context = server_context(tls)
        (self._socket,) = bind_loopback()
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> ResetServer:
        self._socket.settimeout(TIMEOUT)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.join(TIMEOUT)
        self._socket.close()

    def _serve(self) -> None:
        plain, _ = self._socket.accept()
        with plain, contextlib.suppress(OSError):
            plain.settimeout(TIMEOUT)
            with self._context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(1)
                # To close without lingering is a reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
