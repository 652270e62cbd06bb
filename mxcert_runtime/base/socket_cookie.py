"""The number that Linux gives a socket once, and no other socket ever (SO_COOKIE, Linux 4.12)."""

from __future__ import annotations

import socket

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: of asm-generic/socket.h, which Python's own constants leave out
_SO_COOKIE = 57
_LENGTH = 8


def cookie_of(sock: Any) -> bytes | None:
    """The number of a socket; ``None`` where the system gives none, or it is no socket."""
    try:
        cookie: bytes = sock.getsockopt(socket.SOL_SOCKET, _SO_COOKIE, _LENGTH)
    except (AttributeError, OSError):
        return None
    return cookie
