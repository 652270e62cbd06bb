"""The first message of a client, read off the wire: what it offers, without what is random."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass

_KEY_SHARE = 51


@dataclass(frozen=True)
class ClientHello:
    """RFC 8446 section 4.1.2; of the key shares only the length is kept."""

    version: int
    ciphers: tuple[int, ...]
    extensions: dict[int, bytes]


def client_hello(context: ssl.SSLContext, host: str) -> ClientHello:
    """What a connection of ``context`` to ``host`` says first."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = context.wrap_socket(ours, server_hostname=host, do_handshake_on_connect=False)
        with connection:
            connection.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):
                connection.do_handshake()
            return _parse(theirs.recv(65536))


def _parse(record: bytes) -> ClientHello:
    # record header 5, handshake header 4, version 2, random 32, then vectors with their lengths
    (version,) = struct.unpack_from("!H", record, 9)
    position = 5 + 4 + 2 + 32
    position += 1 + record[position]  # the session identifier
    (length,) = struct.unpack_from("!H", record, position)
    ciphers = struct.unpack_from(f"!{length // 2}H", record, position + 2)
    position += 2 + length
    position += 1 + record[position]  # the compression methods
    return ClientHello(version, ciphers, _parse_extensions(record[position + 2 :]))


def _parse_extensions(content: bytes) -> dict[int, bytes]:
    extensions = {}
    while content:
        number, length = struct.unpack_from("!HH", content)
        body = content[4 : 4 + length]
        extensions[number] = bytes(len(body)) if number == _KEY_SHARE else body
        content = content[4 + length :]
    return extensions
