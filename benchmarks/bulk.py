"""Bytes through an open connection: after its handshake a hooked one costs what any other does.

What is measured is the processor time of the receiving process, most of it decryption.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from .figures import Ratio
from .loopback import (
    KeptClient,
    Loopback,
    Request,
    Target,
    loopback,
    processor_time,
    switched_off,
    switching_on,
)
from .measure import Effort, Figure, alternate
from .quick_server import Kind
from .requests_pooled import default_context
from .workers import by_hand

NAME = "bulk"
WORKERS = 1

#: bytes that a side receives in all, and at a time
_GIGABYTE, _PIECE = 1_000_000_000, 10_000_000
#: bytes in a smoke run, where lists are short too
_LITTLE, _LITTLE_PIECE = 8_000_000, 1_000_000
_BUFFER = 1 << 18
_VERSIONS = {"TLS 1.2": Kind.DEMANDING_1_2, "TLS 1.3": Kind.DEMANDING}


def receiving(amount: int) -> KeptClient:
    """A client of plain sockets whose request receives ``amount`` bytes."""

    @contextlib.contextmanager
    def open_client(target: Target) -> Iterator[Request]:
        context = default_context(target)
        plain = socket.create_connection((target.host, target.port), timeout=60)
        with context.wrap_socket(plain, server_hostname=target.host) as connection:
            buffer = bytearray(_BUFFER)
            yield lambda: _receive(connection, target.host, amount, buffer)

    return open_client


def _receive(connection: ssl.SSLSocket, host: str, amount: int, buffer: bytearray) -> None:
    connection.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: %s\r\n\r\n" % (amount, host.encode()))
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    left = amount - len(head.partition(b"\r\n\r\n")[2])
    while left > 0:
        received = connection.recv_into(buffer)
        if not received:
            raise ConnectionError(f"the server ended with {left} bytes to come")
        left -= received


def _ask(servers: Loopback, name: str, settings: Mapping[str, Any], effort: Effort) -> Ratio:
    version, _ = name.split(", ")
    kind = _VERSIONS[version]
    total, piece = _amounts(effort)
    client = receiving(piece)
    return alternate(
        name,
        servers.keeping(
            "mxcert_runtime", switching_on(settings), client, servers.target(kind), processor_time
        ),
        servers.keeping("cert=", switched_off, client, servers.native(kind), processor_time),
        effort,
        loops=max(1, total // piece // effort.pairs),
    )


def _amounts(effort: Effort) -> tuple[int, int]:
    is_small = effort.sized(_GIGABYTE) < 1_000
    return (_LITTLE, _LITTLE_PIECE) if is_small else (_GIGABYTE, _PIECE)


def measure(effort: Effort) -> list[Figure]:
    """One ratio for each version, with a pinned identity and where the server's request chooses."""
    with loopback() as servers:
        settings = {"pinned": servers.pinned, "the request chooses": servers.choosing}
        return [
            _ask(servers, f"{version}, {way}", each, effort)
            for version in _VERSIONS
            for way, each in settings.items()
        ]


if __name__ == "__main__":
    by_hand(NAME)
