"""A server that answers a ClientHello with one fatal alert in the clear, as TLS allows it to.

RFC 5246, section 7.2, and RFC 8446, section 6: what is not yet encrypted carries alerts in plain
records. So every alert can be had, those included that OpenSSL never sends.
"""

from __future__ import annotations

import socket

from tests.support.listener import Listener

_FATAL = 2


class AlertServer:
    """A context manager around the server of one alert."""

    def __init__(self, alert: int) -> None:
        self._alert = alert
        self._listener = Listener(self._serve)

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._listener.port

    def __enter__(self) -> AlertServer:
        self._listener.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.__exit__(None, None, None)

    def _serve(self, connection: socket.socket, _: int) -> None:
        connection.recv(65536)
        connection.sendall(bytes([21, 3, 3, 0, 2, _FATAL, self._alert]))
