"""Connections of clients with TLS of their own: decided before they begin, with no say of servers.

Decided, counted, warned of and logged as those of the engines are. What they present is in the
client's hands from then on.
"""

from __future__ import annotations

from datetime import datetime, timezone

from ..base import dataclass
from ..decisions import Decision, Generation, decide_unasked, in_force, withheld_from_late
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
    #: which client it is that verifies a server after it has seen the certificate, and what to do
    late: tuple[str, str] | None = None


class _Unasked:
    """The engine; it keeps no plan, since nothing is made for one."""

    def recall(self, generation: Generation, asked: Asked, context: OwnTls) -> None:
        return None

    def plan(
        self, generation: Generation, decision: Decision, asked: Asked, context: OwnTls
    ) -> Plan:
        if not context.presents_own:
            decision = _by_verification(generation, decision, context)
            decision = decide_unasked(decision, datetime.now(timezone.utc))
        count = count_of(decision, presents_own=context.presents_own)
        return Plan(generation, decision, count, presents_own=context.presents_own)


def _by_verification(generation: Generation, decision: Decision, context: OwnTls) -> Decision:
    if context.verifies and context.late is None:
        return decision
    withheld = generation.policy.for_unverified(decision)
    if withheld is decision or not context.verifies or context.late is None:
        return withheld
    return withheld_from_late(decision, *context.late)


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
