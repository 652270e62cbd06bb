"""How PostgreSQL, MySQL and NATS come to the point where TLS begins."""

from __future__ import annotations

import json

from .wire import DialogueError, Wire

#: SSLRequest (PostgreSQL's Frontend/Backend Protocol, "SSL Session Encryption")
_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")

#: of MySQL: CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH
_CLIENT_SSL = 0x0800
_CAPABILITIES = 0x0200 | _CLIENT_SSL | 0x8000 | 0x80000
_LONGEST_PACKET = 1 << 24
_UTF8 = 33
_ERROR_PACKET = 0xFF
_LONGEST_GREETING = 4096

_NO_TLS = "Switch TLS on in the server (it needs a certificate and a key), or check the port"
_OTHER = "Check the port and the scheme; where TLS begins at once, write `tls://host:port`"


def start_postgres(wire: Wire) -> str:
    """The answer to SSLRequest is one byte."""
    wire.send(_SSL_REQUEST)
    answer = wire.read(1)
    if answer == b"S":
        return "SSLRequest: S"
    if answer == b"N":
        raise DialogueError("the server has no TLS to offer: it answered `N`", _NO_TLS)
    raise DialogueError("the server does not answer as PostgreSQL does", _OTHER)


def start_mysql(wire: Wire) -> str:
    """The server greets first, and says in its capabilities whether it has TLS."""
    version, capabilities = _read_greeting(wire)
    if not capabilities & _CLIENT_SSL:
        raise DialogueError(f"the server ({version}) has no TLS to offer", _NO_TLS)
    request = _CAPABILITIES.to_bytes(4, "little") + _LONGEST_PACKET.to_bytes(4, "little")
    request += bytes([_UTF8]) + bytes(23)
    wire.send(len(request).to_bytes(3, "little") + b"\1" + request)
    return version


def _read_greeting(wire: Wire) -> tuple[str, int]:
    """Version and capabilities of HandshakeV10."""
    header = wire.read(4)
    length = int.from_bytes(header[:3], "little")
    if not 0 < length <= _LONGEST_GREETING or header[3] != 0:
        raise DialogueError("the server does not greet as MySQL does", _OTHER)
    greeting = wire.read(length)
    if greeting[0] == _ERROR_PACKET:
        raise DialogueError(
            f"the server refuses before TLS: {_text(greeting[3:])!r}",
            "Ask its operator whether this machine may connect (where it is blocked: FLUSH HOSTS)",
        )
    version, end, rest = greeting[1:].partition(b"\0")
    # The number of the connection, half a challenge and a zero stand before them.
    if greeting[0] != 10 or not end or len(rest) < 15:
        raise DialogueError("the server does not greet as MySQL does", _OTHER)
    return _text(version), int.from_bytes(rest[13:15], "little")


def _text(data: bytes) -> str:
    return data[:120].decode("ascii", "backslashreplace")


def start_nats(wire: Wire) -> str:
    """The server says in clear what it is, and that TLS comes next."""
    word, _, said = wire.read_line().partition(" ")
    try:
        info = json.loads(said) if word == "INFO" else None
    except ValueError:
        info = None
    if not isinstance(info, dict):
        raise DialogueError("the server does not begin with INFO, as NATS does", _OTHER)
    if not (info.get("tls_required") or info.get("tls_available")):
        raise DialogueError("the server's INFO says that it has no TLS", _NO_TLS)
    return f"INFO of NATS {_text(str(info.get('version')).encode('utf-8'))}"
