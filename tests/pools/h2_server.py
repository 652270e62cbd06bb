"""An HTTP/2 server (RFC 9113) that answers every request with JSON of what it sees."""

from __future__ import annotations

import json
import socket
from types import TracebackType
from typing import Any

import h2.config
import h2.connection
import h2.events

from tests.support.listener import Listener, Records
from tests.support.server_tls import (
    Seen,
    ServerConnection,
    ServerEnd,
    ServerTls,
    close_politely,
    observe,
)


class Http2Server:
    """A context manager; ``seen`` has one entry for each good handshake."""

    def __init__(self, tls: ServerTls) -> None:
        self._end = ServerEnd(tls)
        self._listener = Listener(self._serve)

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted."""
        return self._listener.connections

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._listener.port

    @property
    def seen(self) -> Records[Seen]:
        """What was seen at the end of each handshake."""
        return self._end.seen

    def url(self, host: str = "localhost") -> str:
        """The URL of the server under one of its names."""
        return f"https://{host}:{self.port}/"

    def __enter__(self) -> Http2Server:
        self._listener.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.__exit__(kind, error, traceback)

    def _serve(self, plain: socket.socket, number: int) -> None:
        connection = self._end.handshake(plain, number)
        if connection is None:
            return
        try:
            _converse(connection, observe(connection, number).as_data())
        finally:
            close_politely(connection)


def _converse(connection: ServerConnection, seen: dict[str, Any]) -> None:
    assert connection.selected_alpn_protocol() == "h2", "the client speaks no HTTP/2"
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    connection.sendall(state.data_to_send())
    body = json.dumps(seen).encode("ascii")
    while received := connection.recv(65536):
        for event in state.receive_data(received):
            if isinstance(event, h2.events.StreamEnded):
                stream = event.stream_id
                state.send_headers(stream, [(":status", "200"), ("content-length", str(len(body)))])
                state.send_data(stream, body, end_stream=True)
        connection.sendall(state.data_to_send())
