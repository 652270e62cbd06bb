"""TLS of TDS (MS-TDS, section 2.2.6.5): the handshake's records travel in packets of PRELOGIN."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

_Pump = Callable[[socket.socket, socket.socket, threading.Event], None]

_PRELOGIN = 0x12
_REPLY = 0x04
_HEADER_LENGTH = 8
#: VERSION of 6 bytes and ENCRYPTION of one, which says that all of the connection is in TLS
_ANSWER = b"\x00\x00\x0b\x00\x06" + b"\x01\x00\x11\x00\x01" + b"\xff" + b"\x10\0\0\0\0\0" + b"\x01"


@contextlib.contextmanager
def begun(plain: socket.socket) -> Iterator[socket.socket]:
    """Answer a client's PRELOGIN; the socket on which its TLS comes out of the packets."""
    _read_packet(plain)
    plain.sendall(_packet(_REPLY, _ANSWER))
    inner, outer = socket.socketpair()
    is_bare = threading.Event()
    pumps = [
        threading.Thread(target=_run, args=(pump, plain, outer, is_bare))
        for pump in (_pack, _unpack)
    ]
    for each in pumps:
        each.start()
    with outer:
        inner.settimeout(plain.gettimeout())
        with inner:
            yield inner
        for each in pumps:
            each.join()


def _run(pump: _Pump, plain: socket.socket, outer: socket.socket, is_bare: threading.Event) -> None:
    with contextlib.suppress(OSError):
        pump(plain, outer, is_bare)
    for end in (plain, outer):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _unpack(plain: socket.socket, outer: socket.socket, is_bare: threading.Event) -> None:
    while plain.recv(1, socket.MSG_PEEK) == bytes([_PRELOGIN]):
        outer.sendall(_read_packet(plain))
    # The handshake is over for the client, and what it says now is bare TLS.
    is_bare.set()
    while data := plain.recv(65536):
        outer.sendall(data)


def _pack(plain: socket.socket, outer: socket.socket, is_bare: threading.Event) -> None:
    while data := outer.recv(4096):
        plain.sendall(data if is_bare.is_set() else _packet(_PRELOGIN, data))


def _packet(kind: int, content: bytes) -> bytes:
    length = (_HEADER_LENGTH + len(content)).to_bytes(2, "big")
    return bytes([kind, 1]) + length + b"\0\0\1\0" + content


def _read_packet(plain: socket.socket) -> bytes:
    header = _read(plain, _HEADER_LENGTH)
    return _read(plain, int.from_bytes(header[2:4], "big") - _HEADER_LENGTH)


def _read(plain: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        more = plain.recv(count - len(content))
        if not more:
            raise ConnectionAbortedError("the client closed in a packet")
        content += more
    return content
