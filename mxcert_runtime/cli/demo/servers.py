"""The demo's servers: HTTPS on loopback, each answering with what it sees of the client.

The server's key goes from its PKCS12 content to OpenSSL through memory.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from ...base import Origin
from ...identity import IdentitySettings, Pkcs12Inline, key_transfer, load_identity
from .certificates import DemoAuthority

#: seconds that a server waits for its client
_TIMEOUT = 5.0


class Asks(Enum):
    """Whether a server asks for a client certificate."""

    DEMANDS = "demands"
    ACCEPTS = "accepts"
    NEVER = "never asks"


_VERIFY_MODES = {
    Asks.DEMANDS: ssl.CERT_REQUIRED,
    Asks.ACCEPTS: ssl.CERT_OPTIONAL,
    Asks.NEVER: ssl.CERT_NONE,
}


@contextlib.contextmanager
def serving(host: str, asks: Asks, authority: DemoAuthority) -> Iterator[int]:
    """A server for this host name as long as the context is open; gives its port on 127.0.0.1."""
    with _Server(_server_context(host, asks, authority)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _server_context(host: str, asks: Asks, authority: DemoAuthority) -> ssl.SSLContext:
    pack = authority.issue_for_server(host)
    origin = Origin("mxcert demo")
    settings = IdentitySettings(
        name=host, material=Pkcs12Inline(pack.content), password=pack.password, origin=origin
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = _VERIFY_MODES[asks]
    context.load_verify_locations(cadata=authority.pem)
    key_transfer.present(context, load_identity(settings))
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind, without the question to DNS that HTTPServer asks for its own name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Runs in the connection's own thread, so no handshake keeps another client waiting."""
        request.settimeout(_TIMEOUT)
        with request.dup() as twin, self._wrap(request) as connection:
            # OSError is a refused client, which has been sent the alert, or one that has gone.
            with contextlib.suppress(OSError):
                connection.do_handshake()
                _Handler(connection, client_address, self)
            with contextlib.suppress(OSError):
                _linger(twin)

    def _wrap(self, request: socket.socket) -> ssl.SSLSocket:
        return self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)


def _linger(connection: socket.socket) -> None:
    # Closing while the client's bytes are unread sends a reset, which can overtake the alert.
    connection.settimeout(_TIMEOUT)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with the client's certificate, as far as there is one."""
        certificate = self.connection.getpeercert(binary_form=True)
        content = json.dumps(_describe(certificate)).encode("ascii")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the table says it all."""


def _describe(certificate: bytes | None) -> dict[str, str | None]:
    if certificate is None:
        return {"subject": None, "fingerprint": None}
    parsed = x509.load_der_x509_certificate(certificate)
    fingerprint = parsed.fingerprint(SHA256()).hex()
    return {"subject": parsed.subject.rfc4514_string(), "fingerprint": fingerprint}
