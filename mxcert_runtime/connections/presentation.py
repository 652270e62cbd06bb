"""What a connection was decided, noted on the object that the application holds.

Written once for each connection and read only where somebody asks: to resume a session, or to
explain a failed handshake. It is on the hot path, hence a plain tuple until somebody looks.
"""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

from ..base.hosts import Host
from ..base.owner_notes import OwnerNotes
from ..decisions.generation import Generation
from ..decisions.policy import Decision
from .plan import Plan
from .reuse import SessionMark

#: The attribute of an ``SSLSocket`` or ``SSLObject`` with the fields of :class:`Presentation`.
ATTRIBUTE = "_mxcert_presentation"


class Presentation(NamedTuple):
    """The endpoint of one connection and what it does for it; no port where none matters."""

    plan: Plan
    host: Host
    port: int | None
    service: str | None
    #: the caller's
    context: ssl.SSLContext

    @property
    def decision(self) -> Decision:
        """What the policy decided."""
        return self.plan.decision

    @property
    def generation(self) -> Generation:
        """The settings that were in force."""
        return self.plan.generation

    @property
    def mark(self) -> SessionMark | None:
        """What a session must have been made under to be resumed; ``None``: as without us."""
        return None if self.plan.mark is None else (self.plan.mark, self.host)


#: the same for owners that take no attribute
_beside: OwnerNotes[tuple[Any, ...]] = OwnerNotes()


def note_beside(owner: Any, noted: tuple[Any, ...]) -> None:
    """Note it for an owner that takes no attribute."""
    _beside.put(owner, noted)


def presentation_of(owner: Any) -> Presentation | None:
    """What was noted; ``None`` for servers, and for connections that are older than settings."""
    noted = getattr(owner, ATTRIBUTE, None)
    if noted is None:
        # gevent's `SSLSocket` gives `ssl` the socket that it has inside.
        noted = _beside.get(owner) or _beside.get(getattr(owner, "_sock", owner))
    return None if noted is None else Presentation(*noted)
