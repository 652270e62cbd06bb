"""What a server has said before a write to it failed, and nobody has read.

In TLS 1.3 a client may write before the server has seen its certificate. Where the server refuses
that and closes, the write fails with a word of a closed connection only, while the alert that says
why lies in the buffer of the socket. It is read here where that cannot wait: on a connection that
the other side has ended. What was read is the application's all the same: its next read gets it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import weakref
from typing import Any

from ..base import ALERT, FATAL, dataclass, genuine_poll

#: what a socket shows that has nothing more to wait for
_ENDED = (
    select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
    if genuine_poll is not None
    else 0
)
_PEEK = socket.MSG_PEEK | getattr(socket, "MSG_DONTWAIT", 0)
#: a record of TLS that holds one fatal alert in the clear, up to its number (RFC 5246, section 7.2)
_FATAL_ALERT_LENGTH = 7

_set_own = object.__setattr__


@dataclass(frozen=True)
class Answer:
    """The outcome of a read: data (none at the end of the stream), or an error."""

    data: bytes = b""
    error: OSError | None = None


def read_unread(connection: Any, owner: Any) -> Answer | None:
    """The outcome of reading from a connection now; ``None`` where that would have to wait."""
    if not (_never_waits(owner) or has_ended(owner)):
        return None
    try:
        return Answer(connection.read(1))
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    except OSError as error:
        # Its frames hold the connection.
        return Answer(error=error.with_traceback(None))


def peek_alert(owner: Any) -> int | None:
    """The number of an alert that the server has sent in the clear, as it does in TLS 1.2.

    It stays in the buffer: a handshake that failed in a write reads no more.
    """
    if not has_ended(owner):
        return None
    with contextlib.suppress(OSError):
        return alert_in_clear(socket.socket.recv(owner, _FATAL_ALERT_LENGTH, _PEEK))
    return None


def alert_in_clear(received: bytes) -> int | None:
    """The number of the fatal alert that stands first in what was received, if one does."""
    record = received[:_FATAL_ALERT_LENGTH].ljust(_FATAL_ALERT_LENGTH, b"\0")
    kind, _, _, *length, level, number = record
    return number if (kind, length, level) == (ALERT, [0, 2], FATAL) else None


def _never_waits(owner: Any) -> bool:
    """Whether a read of a socket says so where there is nothing."""
    return isinstance(owner, socket.socket) and owner.gettimeout() == 0


def has_ended(owner: Any) -> bool:
    """Whether the other side of a socket has closed it, so that no read has to wait."""
    if not isinstance(owner, socket.socket) or genuine_poll is None:
        return False
    with contextlib.suppress(OSError, ValueError):
        poll = genuine_poll()
        poll.register(owner.fileno(), _ENDED)
        return any(events & _ENDED for _, events in poll.poll(0))
    return False


class ReadAhead:
    """Stands in for a connection of which an answer was read ahead, until that is fetched."""

    __slots__ = ("_mxcert_answer", "_mxcert_connection", "_mxcert_owner")

    def __init__(self, connection: Any, owner: Any, answer: Answer) -> None:
        _set_own(self, "_mxcert_connection", connection)
        # Weak, since the owner holds this one.
        _set_own(self, "_mxcert_owner", weakref.ref(owner))
        _set_own(self, "_mxcert_answer", answer)

    def read(self, size: int = 1024, *buffer: Any) -> Any:
        if size == 0:
            return self._mxcert_connection.read(size, *buffer)
        answer = self._mxcert_answer
        owner = self._mxcert_owner()
        if owner is not None and owner._sslobj is self:
            owner._sslobj = self._mxcert_connection
        # A traceback must not keep a connection that its owner has closed.
        del self, owner
        if answer.error is not None:
            raise answer.error
        if not buffer:
            return answer.data
        memoryview(buffer[0]).cast("B")[: len(answer.data)] = answer.data
        return len(answer.data)

    def pending(self) -> int:
        count: int = self._mxcert_connection.pending()
        return count + len(self._mxcert_answer.data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mxcert_connection, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._mxcert_connection, name, value)
