"""Where an ``SSLSocket`` or ``SSLObject`` keeps its attempt: on itself, or beside it."""

from __future__ import annotations

from typing import Any

from ...base import OwnerNotes
from ...connections import Attempt

#: The attribute of an owner with its :class:`~.connections.attempt.Attempt`.
ATTRIBUTE = "_mxcert_attempt"
#: Where an ``SSLSocket`` keeps the port that its handshake began with, for a note
PORT = "_mxcert_port"

#: the attempts of owners that take no attribute
_beside: OwnerNotes[Attempt] = OwnerNotes()


def note_beside(owner: Any, attempt: Attempt) -> None:
    """Note it for an owner that takes no attribute."""
    _beside.put(owner, attempt)


def attempt_of(owner: Any) -> Attempt | None:
    """What was noted; ``None`` for servers, and for connections that are older than settings."""
    attempt: Attempt | None = getattr(owner, ATTRIBUTE, None)
    if attempt is not None:
        return attempt
    # gevent's `SSLSocket` gives `ssl` the socket that it has inside.
    return _beside.get(owner) or _beside.get(getattr(owner, "_sock", owner))
