"""Plans are kept on the caller's context, for one record of it and one generation.

On the hot path: a connection to an endpoint that was dialled before costs one look whether that
still holds. They are an attribute of the context, since a program's subclass may not be hashable.
"""

from __future__ import annotations

import ssl
from typing import Optional

from ..contexts import ContextRecord, MessageCallback, shared_contexts
from ..contexts.ledger import ledger
from ..decisions import Decision, Generation
from .endpoint import Asked
from .plan import Plan

#: what a plan is kept for: the decision, verify mode and key log, and the message callback
Key = tuple[Decision, int, Optional[str], MessageCallback]

#: a plan, and what its context does not tell when it changes: the verify mode and key log it is for
Remembered = tuple[Plan, int, Optional[str]]

#: The attribute of a context that holds its :class:`KeptPlans`.
ATTRIBUTE = "_mxcert_plans"

#: Endpoints whose plan is remembered for one context; past the limit it is begun anew.
_ENDPOINTS_LIMIT = 1024


class KeptPlans:
    """What connections of one context do, as long as nothing changes of what it goes by."""

    __slots__ = ("by_endpoint", "by_key", "edition", "generation", "record")

    def __init__(self, generation: Generation, record: ContextRecord) -> None:
        self.generation = generation
        self.record = record
        self.edition = shared_contexts.edition
        self.by_key: dict[Key, Plan] = {}
        self.by_endpoint: dict[Asked, Remembered] = {}

    def __reduce__(self) -> tuple[object, ...]:
        # Of a context that somebody pickles or copies: the copy has no plans.
        return type(None), ()

    def hold_for(self, generation: Generation, context: ssl.SSLContext) -> bool:
        """Whether they are what a connection of this context does under a generation."""
        record = self.record
        return (
            self.generation is generation
            and self.edition == shared_contexts.edition
            and not record.successor
            and record.reference() is context  # else the attributes of another one were copied
        )

    def keep(self, key: Key, plan: Plan) -> None:
        """Keep a plan; none of a context that somebody is changing."""
        if not self.record.changes:
            self.by_key[key] = plan

    def remember(self, asked: Asked, key: Key, plan: Plan) -> None:
        """Remember the plan of an endpoint, if it is kept at all."""
        if self.by_key.get(key) is not plan:
            return
        if len(self.by_endpoint) >= _ENDPOINTS_LIMIT:
            self.by_endpoint.clear()
        _, verify_mode, key_log, _ = key
        self.by_endpoint[asked] = plan, verify_mode, key_log


def plans_of(generation: Generation, context: ssl.SSLContext, record: ContextRecord) -> KeptPlans:
    """The plans of a context; new ones where those that it has do not hold any more."""
    kept: KeptPlans | None = vars(context).get(ATTRIBUTE)
    if kept is None or kept.record is not record or not kept.hold_for(generation, context):
        kept = vars(context)[ATTRIBUTE] = KeptPlans(generation, record)
    return kept


def forget_plans() -> None:
    """Let go of all plans, and with them of the keys of their generation.

    They count no more, but a context that makes no connection would hold on to them.
    """
    for context in ledger.living():
        vars(context).pop(ATTRIBUTE, None)
