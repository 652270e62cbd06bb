"""The engine ``ssl``: plans for connections of a caller's context, each made once.

On the hot path: plans are kept, and cost one look at what the caller may have changed unseen.
"""

from __future__ import annotations

import ssl
import weakref

from ...base import NativeContext
from ...connections import (
    Asked,
    ConnectionPlanner,
    KeptPlans,
    Key,
    Plan,
    is_observed,
    plans_of,
)
from ...contexts import ContextRecord, callers_own, listen_on, may_change_unseen, shared_contexts
from ...contexts.ledger import ledger
from ...decisions import Decision, Generation

#: Straight from C: the properties of the Python class take three times as long.
VERIFY_MODE = NativeContext.verify_mode
_verify_mode_of = VERIFY_MODE.__get__
_message_callback_of = NativeContext._msg_callback.__get__


class SslEngine:
    """See :class:`~.connections.attempt.Engine`."""

    def recall(self, generation: Generation, asked: Asked, context: ssl.SSLContext) -> Plan | None:
        """The plan that was kept for an endpoint, if nothing has changed that it goes by."""
        try:
            kept: KeptPlans = context._mxcert_plans  # type: ignore[attr-defined]
            plan, verify_mode, key_log = kept.by_endpoint[asked]
            is_unchanged = (
                # These two do not tell when they are changed, so they are looked at each time.
                verify_mode == context._mxcert_verify_mode  # type: ignore[attr-defined]
                and key_log == context.keylog_filename
            )
        except (AttributeError, KeyError):
            return None
        # As `kept.hold_for`, which would cost as much again.
        if (
            is_unchanged
            and kept.generation is generation
            and kept.edition == shared_contexts.edition
            and not kept.record.successor
            and kept.record.reference() is context
        ):
            return _ready(plan, context) if plan.listens_on_caller else plan
        return None

    def plan(
        self, generation: Generation, decision: Decision, asked: Asked, context: ssl.SSLContext
    ) -> Plan:
        """A plan that is kept as long as it holds.

        Raises :class:`~.contexts.identity_contexts.IdentityRefusedError` where OpenSSL refuses the
        identity, and :class:`~.connections.planner.UnknownSecurityLevelError`.
        """
        verify_mode = _verify_mode_of(context)
        if verify_mode == ssl.CERT_NONE:
            decision = generation.policy.for_unverified(decision)
        record = ledger.find_or_adopt(context)
        callback = callers_own(_message_callback_of(context))
        key: Key = decision, verify_mode, context.keylog_filename, callback
        if is_observed(generation, asked[:2]):
            return _ready(_planner_for(generation, context, record, key).plan_observed(), context)
        plan = _plan_by_decision(generation, context, record, key)
        plans_of(generation, context, record).remember(asked, key, plan)
        return _ready(plan, context)


def _ready(plan: Plan, context: ssl.SSLContext) -> Plan:
    """A plan whose connection may be created: what it is to hear, the context tells."""
    if plan.listens_on_caller:
        listen_on(context)
    return plan


def _plan_by_decision(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, key: Key
) -> Plan:
    kept = plans_of(generation, context, record).by_key.get(key)
    if kept is not None:
        return kept
    edition = shared_contexts.edition
    plan = _planner_for(generation, context, record, key).plan()
    # What was let go meanwhile may stand in it.
    is_passing = plan.is_passing or edition != shared_contexts.edition
    # Where the record has a successor by now, nobody looks at what this one keeps.
    if not is_passing and not may_change_unseen(context):
        plans_of(generation, context, record).keep(key, plan)
    return plan


def _planner_for(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, key: Key
) -> ConnectionPlanner:
    decision, verify_mode, key_log, callback = key
    return ConnectionPlanner(
        generation=generation,
        reference=weakref.ref(context),
        record=ledger.look_at(context, record),
        decision=decision,
        verify_mode=verify_mode,
        key_log=key_log,
        callback=callback,
    )
