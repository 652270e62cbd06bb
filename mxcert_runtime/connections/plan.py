"""What a new connection of a context has to do, as a value that many connections share."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from typing import Protocol

from ..base import Host, dataclass
from ..contexts import Handover
from ..decisions import Choice, Decision, Generation, Withheld
from ..identity import Identity
from ..monitoring import Tally, connection_tally
from .reuse import ReuseKey, key_of_sessions


class AskedConnection(Protocol):
    """A connection that its server asks for a certificate: an attempt, as a handover needs it."""

    @property
    def host(self) -> Host | None:
        """What it verifies, or dials."""

    def note_choice(self, identity: Identity | None) -> None:
        """Count it by what the request has chosen."""


#: makes a handover; the flag is whether the server may ask after the handshake
MakeHandover = Callable[[AskedConnection, bool], Handover]


@dataclass(frozen=True)
class Plan:
    """What a connection takes at its creation, and in its handshake. Nothing: it stays as it is."""

    generation: Generation
    decision: Decision
    #: counts the connection; ``None`` where the request of the server tells what there is to count
    count: Callable[[], object] | None
    at_creation: ssl.SSLContext | None = None
    handover: MakeHandover | None = None
    listens_on_caller: bool = False
    #: what a session must have been made under to be resumed; ``None``: as without us
    mark: ReuseKey | None = None
    #: whether the program authenticates itself, which always wins
    presents_own: bool = False
    #: whether it holds for this moment only, since it was made from what directories hold now
    is_passing: bool = False

    @functools.cached_property
    def may_be_uncertain(self) -> bool:
        """Whether something may be unknown of a connection that would change what it presents."""
        return self.generation.policy.has_port_rules or isinstance(self.decision, Withheld)


def tally_of(decision: Decision, identity: Identity | None) -> Tally:
    """What counts the connections that present an identity, or nothing of ours, by a decision."""
    rule = decision.rule
    return connection_tally(identity.name if identity else None, rule.name if rule else None)


def count_of(decision: Decision, *, presents_own: bool) -> Callable[[], object] | None:
    """What counts a connection at its start, as far as its decision tells what it presents."""
    if presents_own:
        return tally_of(decision, None).add
    if decision.choice is Choice.SERVER_REQUEST:
        return None
    return tally_of(decision, decision.identity).add


def mark_of(generation: Generation, decision: Decision) -> ReuseKey | None:
    """What a session must have been made under for a connection that presents what is decided."""
    return None if decision.reuse_key is None else key_of_sessions(generation, decision)
