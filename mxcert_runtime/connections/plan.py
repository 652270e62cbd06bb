"""What a new connection of a context has to do, as a value that many connections share."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from ..base.hosts import Host
from ..contexts.handover import Handover
from ..decisions.generation import Generation
from ..decisions.policy import Decision


@dataclass(frozen=True)
class Plan:
    """What a connection takes at its creation, and in its handshake. Nothing: it stays as it is."""

    generation: Generation
    decision: Decision
    #: counts the connection
    count: Callable[[], object]
    at_creation: ssl.SSLContext | None = None
    #: makes the handover for a host; the flag is whether the server may ask after the handshake
    handover: Callable[[Host, bool], Handover] | None = None
    listens_on_caller: bool = False
    #: what a session must have been made under to be resumed; see `hooks.ssl_sessions`
    mark: object = None
    #: whether it holds for this moment only, since it was made from what directories hold now
    is_passing: bool = False
