"""The servers that clients are measured against: each says as much as its clients need to go on."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
from typing import Any

from tests.pools.h2_server import Http2Server
from tests.support import tds
from tests.support.ftp_server import FtpServer
from tests.support.grpc_server import GrpcServer
from tests.support.listener import Records
from tests.support.mail_server import ImapDialogue, SmtpDialogue, StartTlsServer
from tests.support.server_tls import ServerConnection, ServerTls, observe
from tests.support.tls_listener import HttpHandler, TlsListener

from .values import Server

_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_XML_ANSWER = b"""<?xml version="1.0"?><methodResponse><params><param><value><int>1</int></value>
</param></params></methodResponse>"""


class WebServer(TlsListener):
    """HTTP/1.1 with keep-alive; ``answers`` has the fingerprint of each request's client."""

    def __init__(self, tls: ServerTls) -> None:
        super().__init__(tls)
        self.answers: Records[str | None] = Records()

    def _converse(self, connection: ServerConnection, number: int) -> None:
        _Handler(connection, observe(connection, number).fingerprint, self.answers)


class _Handler(HttpHandler):
    def __init__(
        self, connection: ServerConnection, fingerprint: str | None, answers: Records[str | None]
    ) -> None:
        self._fingerprint = fingerprint
        self._answers = answers
        super().__init__(connection)

    def _respond(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answers.append(self._fingerprint)
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self._turn_to_websocket()
        elif b"methodCall" in sent:
            self.send_whole(200, {"Content-Type": "text/xml"}, _XML_ANSWER)
        else:
            headers = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
            self.send_whole(200, headers, json.dumps(self._document()).encode("ascii"))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond

    def _document(self) -> dict[str, Any]:
        return {"fingerprint": self._fingerprint, "version": {"number": "8.0.0"}, "items": []}

    def _turn_to_websocket(self) -> None:
        key = self.headers["Sec-WebSocket-Key"].encode("ascii")
        digest = hashlib.sha1(key + _WEBSOCKET, usedforsecurity=False).digest()
        accept = base64.b64encode(digest).decode("ascii")
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.wfile.write(b"\x88\x02\x03\xe8")  # close, 1000: as much as is needed
        self.wfile.flush()
        self.close_connection = True


class Http2AnswersServer(Http2Server):
    """HTTP/2; ``answers`` has the fingerprint of each request's client."""

    def __init__(self, tls: ServerTls) -> None:
        super().__init__(tls)
        self.answers: Records[str | None] = Records()

    def _note(self, seen: dict[str, Any]) -> None:
        self.answers.append(seen["fingerprint"])


class FirstBytesServer(TlsListener):
    """Speaks ``before`` TLS what the protocol demands, then reads once and closes."""

    def __init__(self, tls: ServerTls, server: Server) -> None:
        super().__init__(tls)
        self._server = server

    def _serve(self, plain: socket.socket, number: int) -> None:
        BEFORE.get(self._server, _nothing)(plain)
        wrapping = tds.begun if self._server is Server.TDS else contextlib.nullcontext
        with wrapping(plain) as inner:
            super()._serve(inner, number)

    def _converse(self, connection: ServerConnection, number: int) -> None:
        # What a client that lets the server speak first waits for, is the end.
        connection.settimeout(0.5)
        connection.recv(65536)


def _nothing(plain: socket.socket) -> None:
    """TLS begins at once."""


def _postgres(plain: socket.socket) -> None:
    plain.recv(8)
    plain.sendall(b"S")


#: protocol 10, version, thread 1, 8 bytes of a challenge, capabilities with CLIENT_SSL, utf8,
#: status, more capabilities, length of the challenge, the rest of it, the plugin
_MYSQL_GREETING = (
    b"\x0a8.0.36\0"
    + (1).to_bytes(4, "little")
    + b"challeng\0"
    + b"\xff\xff\x21\x02\x00\xff\xdf\x15"
    + bytes(10)
    + b"challenge-12\0mysql_native_password\0"
)


def _mysql(plain: socket.socket) -> None:
    plain.sendall(len(_MYSQL_GREETING).to_bytes(3, "little") + b"\0" + _MYSQL_GREETING)
    length = int.from_bytes(plain.recv(4)[:3], "little")
    plain.recv(length)


def _nats(plain: socket.socket) -> None:
    plain.sendall(
        b'INFO {"server_id":"x","version":"2.10.0","max_payload":1024,"tls_required":true}\r\n'
    )


def _pop3(plain: socket.socket) -> None:
    plain.sendall(b"+OK ready\r\n")
    while line := plain.recv(512):
        if line.upper().startswith(b"STLS"):
            plain.sendall(b"+OK begin\r\n")
            return
        plain.sendall(b"+OK\r\nSTLS\r\n.\r\n")


def _ldap(plain: socket.socket) -> None:
    """Take StartTLS: an ExtendedResponse with the number of the request (RFC 4511, 4.12)."""
    request = plain.recv(512)
    plain.sendall(b"\x30\x0c\x02\x01" + request[4:5] + b"\x78\x07\x0a\x01\0\x04\0\x04\0")


#: what is said in clear, before TLS
BEFORE = {
    Server.LDAP: _ldap,
    Server.POSTGRES: _postgres,
    Server.MYSQL: _mysql,
    Server.NATS: _nats,
    Server.POP3: _pop3,
}
_DIALOGUES = {Server.SMTP: SmtpDialogue, Server.IMAP: ImapDialogue}


def make_server(kind: Server, tls: ServerTls) -> TlsListener:
    """A server of this kind, not yet started."""
    if kind is Server.HTTP:
        return WebServer(tls)
    if kind is Server.HTTP2:
        return Http2AnswersServer(tls)
    if kind is Server.GRPC:
        return GrpcServer(tls)
    if kind is Server.FTP:
        return FtpServer(tls)
    if kind in _DIALOGUES:
        return StartTlsServer(tls, _DIALOGUES[kind])
    return FirstBytesServer(tls, kind)
