"""Finds the plan for a new connection, which is made once as long as nothing has changed.

On the hot path: a kept plan costs one look at what the caller may have changed unseen.
"""

from __future__ import annotations

import ssl
import weakref
from typing import Optional

from .connection_plan import Plan
from .connection_planner import ConnectionPlanner
from .context_record import RECORD, ContextRecord, ledger
from .late_context import MessageCallback, callers_own
from .native_ssl import NativeContext
from .policy import Decision
from .runtime import Generation

#: what a plan is kept for: the decision, the verify mode, the key log and the message callback
Key = tuple[Decision, int, Optional[str], MessageCallback]

_Question = tuple[Optional[str], Optional[int], Optional[str], int, Optional[str], MessageCallback]

#: Endpoints whose plan is remembered for one context; past the limit it is begun anew.
_ENDPOINTS_LIMIT = 1024

#: Straight from C: the properties of the Python class take three times as long.
_verify_mode_of = NativeContext.verify_mode.__get__
_message_callback_of = NativeContext._msg_callback.__get__


def plan_connection(
    generation: Generation,
    context: ssl.SSLContext,
    host: str | None,
    port: int | None,
    service: str | None,
) -> Plan:
    """The plan for a connection of ``context`` to an endpoint.

    Raises :class:`~.identity_context.IdentityRefusedError` where OpenSSL refuses the identity, and
    :class:`~.connection_planner.UnknownSecurityLevelError`.
    """
    # The last three do not tell when they are changed, so they are looked at each time.
    question = (
        host,
        port,
        service,
        _verify_mode_of(context),
        context.keylog_filename,
        _message_callback_of(context),
    )
    record: ContextRecord | None = getattr(context, RECORD, None)
    if record is not None and record.generation is generation:
        plan: Plan | None = record.plans_by_endpoint.get(question)
        if plan is not None and record.edition == generation.contexts.edition:
            return plan
    return _find_plan(generation, context, question)


def _find_plan(generation: Generation, context: ssl.SSLContext, question: _Question) -> Plan:
    host, port, service = question[:3]
    decision = generation.policy.select(host, port, service)
    record = ledger.find(context) or ledger.adopt(context)
    key = decision, *question[3:]
    if (host, port) in generation.watched:
        return _planner_for(generation, context, record, key).plan_observed()
    plan = _plan_by_decision(generation, context, record, key)
    if record.generation is generation and record.plans.get(key) is plan:
        if len(record.plans_by_endpoint) >= _ENDPOINTS_LIMIT:
            record.plans_by_endpoint.clear()
        record.plans_by_endpoint[question] = plan
    return plan


def _plan_by_decision(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, key: Key
) -> Plan:
    edition = generation.contexts.edition
    if record.generation is generation and record.edition == edition:
        kept: Plan | None = record.plans.get(key)
        if kept is not None:
            return kept
    before = record.plans
    plan = _planner_for(generation, context, record, key).plan()
    # Where the record has changed meanwhile, the plan may be of the time before.
    if record.plans is before and not plan.is_passing:
        record.keep_plan(key, plan, generation, generation.contexts.edition)
    return plan


def _planner_for(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, key: Key
) -> ConnectionPlanner:
    decision, verify_mode, key_log, callback = key
    return ConnectionPlanner(
        generation,
        weakref.ref(context),
        record,
        decision,
        verify_mode,
        key_log,
        callers_own(callback),
    )
