"""A SOCKS5 proxy (RFC 1928) without authentication that tunnels to loopback only.

Whatever host a client names, the tunnel goes to 127.0.0.1 at the port named.
"""

from __future__ import annotations

import ipaddress
import socket
import struct

from .listener import TIMEOUT
from .proxy import ConnectProxy, relay

_NO_AUTHENTICATION = b"\x05\x00"
_SUCCEEDED = b"\x05\x00\x00\x01" + socket.inet_aton("127.0.0.1") + b"\x00\x00"
_IPV4, _NAME, _IPV6 = 1, 3, 4


class SocksProxy(ConnectProxy):
    """A context manager; ``tunnels`` has the ``host:port`` of each CONNECT, as the client said it.

    With ``tls`` the client speaks TLS to the proxy itself.
    """

    def url(self, host: str = "localhost", scheme: str = "socks5h") -> str:
        """The URL of this proxy; ``socks5`` means that the client finds the address."""
        return f"{scheme}://{host}:{self.port}"

    def _tunnel(self, client: socket.socket) -> None:
        _read(client, _read(client, 2)[1])
        client.sendall(_NO_AUTHENTICATION)
        kind = _read(client, 4)[3]
        host = _read_host(client, kind)
        (port,) = struct.unpack("!H", _read(client, 2))
        self.tunnels.append(f"{host}:{port}")
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as server:
            client.sendall(_SUCCEEDED)
            relay(client, server)


def _read_host(client: socket.socket, kind: int) -> str:
    if kind == _NAME:
        return _read(client, _read(client, 1)[0]).decode("ascii")
    return str(ipaddress.ip_address(_read(client, 4 if kind == _IPV4 else 16)))


def _read(client: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        part = client.recv(count - len(received))
        if not part:
            raise ConnectionResetError("the client closed before its request was whole")
        received += part
    return received
