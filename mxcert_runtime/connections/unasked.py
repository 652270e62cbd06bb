"""Connections of clients with TLS of their own: decided before they begin, with no say of servers.

Decided, counted, warned of and logged as those of the engines are. What they present is in the
client's hands from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from ..decisions import Decision, Generation, decide_unasked, in_force
from .attempt import Attempt, begin
from .endpoint import Asked
from .plan import Plan, count_of


@dataclass(frozen=True)
class OwnTls:
    """What such a client does by itself, where an engine has the caller's context."""

    #: whether it verifies servers
    verifies: bool = True
    #: whether the program authenticates itself, which always wins
    presents_own: bool = False


class _Unasked:
    """The engine; it keeps no plan, since nothing is made for one."""

    def recall(self, generation: Generation, asked: Asked, context: OwnTls) -> None:
        return None

    def plan(
        self, generation: Generation, decision: Decision, asked: Asked, context: OwnTls
    ) -> Plan:
        if not context.presents_own:
            if not context.verifies:
                decision = generation.policy.for_unverified(decision)
            decision = decide_unasked(decision, datetime.now(timezone.utc))
        count = count_of(decision, presents_own=context.presents_own)
        return Plan(generation, decision, count, presents_own=context.presents_own)


_engine = _Unasked()


def begin_unasked(asked: Asked, own: OwnTls) -> Attempt | None:
    """Decide about what a client opens; ``None`` where nothing is in force.

    Raises :class:`~.errors.MxcertError` where the client cannot do what is decided.
    """
    generation = in_force.up_to_date()
    if generation is None:
        return None
    attempt = begin(generation, asked, own, _engine)
    attempt.start()
    return attempt
