"""Finds the plan for a new connection, which is made once as long as nothing has changed.

On the hot path: a kept plan costs one look at what the caller may have changed unseen.
"""

from __future__ import annotations

import ssl
import weakref
from typing import Optional

from .connection_plan import Plan
from .connection_planner import ConnectionPlanner
from .context_record import ContextRecord
from .late_context import MessageCallback, callers_own
from .native_ssl import NativeContext
from .policy import Decision
from .runtime import Generation

#: what a plan is kept for: the decision, the verify mode, the key log and the message callback
Key = tuple[Decision, int, Optional[str], MessageCallback]


def plan_connection(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, decision: Decision
) -> Plan:
    """The plan for a connection of ``context``.

    Raises :class:`~.identity_context.IdentityRefusedError` where OpenSSL refuses the identity, and
    :class:`~.connection_planner.UnknownSecurityLevelError`.
    """
    # None of these tells when it is changed, so they are looked at each time.
    key = (
        decision,
        _verify_mode_of(context),
        _key_log_of(context),
        _message_callback_of(context),
    )
    if record.generation is generation and record.evictions == generation.contexts.evictions:
        plan: Plan | None = record.plans.get(key)
        if plan is not None:
            return plan
    return _plan_anew(generation, context, record, key)


#: Straight from C: the properties of the Python class take three times as long.
_verify_mode_of = NativeContext.verify_mode.__get__
_key_log_of = NativeContext.keylog_filename.__get__
_message_callback_of = NativeContext._msg_callback.__get__


def _plan_anew(
    generation: Generation,
    context: ssl.SSLContext,
    record: ContextRecord,
    key: Key,
) -> Plan:
    before = record.plans
    plan = _planner_for(generation, context, record, key).plan()
    # Where the record has changed meanwhile, the plan may be of the time before.
    if record.plans is before and not plan.is_passing:
        record.keep_plan(key, plan, generation, generation.contexts.evictions)
    return plan


def plan_observation(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, decision: Decision
) -> Plan:
    """A plan with the same effect, for a connection whose failure somebody wants explained.

    It takes the identity in the handshake, so that the server's request is seen. Raises as
    :func:`plan_connection`.
    """
    key = decision, _verify_mode_of(context), _key_log_of(context), _message_callback_of(context)
    return _planner_for(generation, context, record, key).plan_observed()


def _planner_for(
    generation: Generation,
    context: ssl.SSLContext,
    record: ContextRecord,
    key: Key,
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
