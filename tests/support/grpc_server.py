"""A gRPC server that answers every call with JSON of what it sees of the client.

It speaks the protocol (gRPC over HTTP/2) by itself, over Python's TLS, so that it can ask for a
certificate without demanding one, as grpcio's own server cannot.
"""

from __future__ import annotations

import json

import h2.config
import h2.connection
import h2.events

from .listener import Records
from .server_tls import ServerConnection, ServerTls, observe
from .tls_listener import TlsListener

_HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


class GrpcServer(TlsListener):
    """A context manager; ``answers`` has the fingerprint of each call's client."""

    def __init__(self, tls: ServerTls) -> None:
        super().__init__(tls)
        self.answers: Records[str | None] = Records()

    def _converse(self, connection: ServerConnection, number: int) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        connection.sendall(state.data_to_send())
        seen = observe(connection, number)
        body = json.dumps(seen.as_data()).encode("ascii")
        while received := connection.recv(65536):
            for event in state.receive_data(received):
                if isinstance(event, h2.events.StreamEnded):
                    self.answers.append(seen.fingerprint)
                    _answer(state, event.stream_id, body)
            connection.sendall(state.data_to_send())


def _answer(state: h2.connection.H2Connection, stream: int, body: bytes) -> None:
    state.send_headers(stream, _HEADERS)
    # Not compressed, and how long it is.
    state.send_data(stream, b"\0" + len(body).to_bytes(4, "big") + body)
    state.send_headers(stream, [("grpc-status", "0")], end_stream=True)
