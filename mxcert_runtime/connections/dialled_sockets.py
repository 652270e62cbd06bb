"""By what name a socket was dialled, where that is known for certain.

A client that names no host to TLS has dialled one all the same. Whoever sees it dial notes it here
by the cookie of the socket (SO_COOKIE, Linux 4.12), a number that the kernel gives once and to no
other socket ever: it is the same for every object that stands for the socket, a copy of it by
``dup`` or ``detach`` included, and another one where a descriptor serves another connection.

The other end is certain only as long as it has not said anything: one that has may be a proxy whose
tunnel leads elsewhere, or be asked for TLS later (STARTTLS). Where the kernel does not tell (other
systems than Linux), nothing is certain.
"""

from __future__ import annotations

import socket
from typing import Any

from ..base import ForkSafeLock, Host, UnnamedHost, canonical_host, cookie_of, is_name

#: ``tcpi_bytes_received`` in ``struct tcp_info`` of linux/tcp.h, since Linux 4.1
_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)
_RECEIVED = slice(128, 136)

#: Sockets that are remembered; past the limit the oldest is forgotten, and its host unnamed.
_LIMIT = 4096


class _Dialled:
    """The host and port of one socket, and whether TLS is known to have begun there."""

    __slots__ = ("host", "is_confirmed", "port")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.is_confirmed = False


_dialled: dict[bytes, _Dialled | None] = {}
_lock = ForkSafeLock()


def note_dialled(sock: Any, host: object, port: object) -> None:
    """Note that ``sock`` is connected to a host by name; an address is no name."""
    if isinstance(host, str) and isinstance(port, int) and is_name(host):
        _note(sock, _Dialled(host, port))


def note_connected(sock: Any, host: object, port: object) -> None:
    """Note a dialled name for a socket that may have been on its way to another host."""
    if not isinstance(host, str) or not is_name(host):
        return
    if not _dialled or cookie_of(sock) not in _dialled:
        note_dialled(sock, host, port)


def note_confirmed(sock: Any, host: object, port: object) -> None:
    """Note what TLS begins for on ``sock``, by who dialled it: it may begin anew there."""
    note_dialled(sock, host, port)
    dialled = _dialled.get(cookie_of(sock) or b"")
    if dialled is not None:
        dialled.is_confirmed = True


def note_undecided(sock: Any) -> None:
    """Note that ``sock`` may be on its way, so that what it connects to later is not certain."""
    _note(sock, None)


def _note(sock: Any, dialled: _Dialled | None) -> None:
    cookie = cookie_of(sock)
    if cookie is None:
        return
    with _lock:
        if len(_dialled) >= _LIMIT:
            del _dialled[next(iter(_dialled))]
        _dialled[cookie] = dialled


def endpoint_of_socket(sock: Any, named: str | None) -> tuple[Host, int | None]:
    """The host and port that a connection on ``sock`` is for; ``named`` is what the client says.

    No port, and no name that the client does not give, unless it is certain.
    """
    dialled = _dialled.get(cookie_of(sock) or b"")
    if named is not None and dialled is not None and _are_the_same(named, dialled.host):
        return named, dialled.port
    if dialled is not None and (dialled.is_confirmed or _has_received_nothing(sock)):
        # From now on it is what it is, whatever it has sent: some databases begin TLS anew.
        dialled.is_confirmed = True
        return named or dialled.host, dialled.port
    address, port = _peer_of(sock) if _has_received_nothing(sock) else (None, None)
    return (UnnamedHost(address) if named is None else named), port


def port_of_socket(sock: Any, host: Host | None) -> int | None:
    """The port that a connection on ``sock`` to a host is for, as far as it is certain."""
    return endpoint_of_socket(sock, host if isinstance(host, str) else None)[1]


def is_dialled_for_another(sock: Any, host: Host) -> bool:
    """Whether a socket is certain to be connected to a name other than ``host``."""
    dialled = _dialled.get(cookie_of(sock) or b"")
    if dialled is None or (isinstance(host, str) and _are_the_same(host, dialled.host)):
        return False
    return dialled.is_confirmed or _has_received_nothing(sock)


def _are_the_same(host: str, other: str) -> bool:
    return canonical_host(host) == canonical_host(other)


def _has_received_nothing(sock: Any) -> bool:
    if _TCP_INFO is None:
        return False
    try:
        info: bytes = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _RECEIVED.stop)
    except (AttributeError, OSError):
        return False
    return len(info) == _RECEIVED.stop and not any(info[_RECEIVED])


def _peer_of(sock: Any) -> tuple[str | None, int | None]:
    try:
        address = sock.getpeername()
    except OSError:
        return None, None
    # A Unix socket has a path here, and no port.
    return address[:2] if isinstance(address, tuple) else (None, None)
