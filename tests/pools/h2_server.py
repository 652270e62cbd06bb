"""An HTTP/2 server (RFC 9113) that answers every request with JSON of what it sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import h2.config
import h2.connection
import h2.events

from tests.support.server_tls import ServerConnection, observe
from tests.support.tls_listener import TlsListener


class Http2Server(TlsListener):
    """A context manager; ``seen`` has one entry for each good handshake."""

    def _converse(self, connection: ServerConnection, number: int) -> None:
        seen = observe(connection, number).as_data()
        _answer_all(connection, seen, lambda: self._note(seen))

    def _note(self, seen: dict[str, Any]) -> None:
        """Take note of a request, before it is answered."""


def _answer_all(
    connection: ServerConnection, seen: dict[str, Any], note: Callable[[], object]
) -> None:
    assert connection.selected_alpn_protocol() == "h2", "the client speaks no HTTP/2"
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    connection.sendall(state.data_to_send())
    body = json.dumps(seen).encode("ascii")
    while received := connection.recv(65536):
        for event in state.receive_data(received):
            if isinstance(event, h2.events.StreamEnded):
                stream = event.stream_id
                note()
                state.send_headers(stream, [(":status", "200"), ("content-length", str(len(body)))])
                state.send_data(stream, body, end_stream=True)
        connection.sendall(state.data_to_send())
