"""Decides about a new connection: which endpoint it is for, and by which plan it goes.

On the hot path: plans are kept, and cost one look at what the caller may have changed unseen.
"""

from __future__ import annotations

import logging
import ssl
import weakref
from logging import DEBUG
from typing import Any, Optional

from ..base.genuine_ssl import NativeContext
from ..base.hosts import Host
from ..contexts.examination import may_change_unseen
from ..contexts.handover import callers_own, listen_on
from ..contexts.ledger import ledger
from ..contexts.record import ContextRecord
from ..decisions.generation import Generation
from ..decisions.scope import current_leg, current_service, peek_leg, take_leg
from .announcement import announce, warn_of_unknowns
from .dialled_sockets import endpoint_of_socket, is_dialled_for_another, note_confirmed
from .kept_plans import KeptPlans, Key, Question, plans_of
from .observed import is_observed
from .plan import Plan
from .planner import ConnectionPlanner

#: the fields of a :class:`~.connections.presentation.Presentation`
Noted = tuple[Plan, Host, Optional[int], Optional[str], ssl.SSLContext]

_logger = logging.getLogger("mxcert_runtime")
_current_service = current_service.get
_current_leg = current_leg.get
#: Straight from C: the properties of the Python class take three times as long.
VERIFY_MODE = NativeContext.verify_mode
_verify_mode_of = VERIFY_MODE.__get__
_message_callback_of = NativeContext._msg_callback.__get__


def decide_connection(
    generation: Generation, context: ssl.SSLContext, server_hostname: str | None, socket: Any
) -> Noted:
    """The plan for a new connection of ``context``, with the other fields of its presentation.

    ``socket`` is what the connection will use, if it is known. Raises
    :class:`~.contexts.identity_contexts.IdentityRefusedError` where OpenSSL refuses the identity,
    and :class:`~.connections.planner.UnknownSecurityLevelError`.
    """
    service, leg = _current_service(), None
    if _current_leg() is not None:
        leg, is_on_the_way = _leg_for(server_hostname, socket)
        service = None if is_on_the_way else service
    host: Any = server_hostname
    port = None
    # The layer that dials knows best: the peer of a socket may be a proxy.
    if leg is not None:
        port = leg[1]
        if host is None:
            host = leg[0]
            note_confirmed(socket, host, port)
    # A port is looked for only where one can matter.
    elif host is None or generation.policy.has_port_rules:
        host, port = endpoint_of_socket(socket, host)
    try:
        verify_mode = context._mxcert_verify_mode  # type: ignore[attr-defined]
    except AttributeError:  # the hooks are being taken away
        verify_mode = _verify_mode_of(context)
    # The last two do not tell when they are changed, so they are looked at each time.
    question = host, port, service, verify_mode, context.keylog_filename
    try:
        kept: KeptPlans = context._mxcert_plans  # type: ignore[attr-defined]
        plan = kept.by_endpoint[question]
        is_valid = kept.hold_for(generation, context)
    except (AttributeError, KeyError):
        is_valid = False
    if not is_valid:
        plan = _find_plan(generation, context, question)
    if _logger.isEnabledFor(DEBUG):
        announce(host, port, plan.decision)
    if plan.listens_on_caller:
        listen_on(context)
    return plan, host, port, service, context


def _leg_for(name: str | None, socket: Any) -> tuple[tuple[Host, int | None] | None, bool]:
    """The leg that a new connection is, if any; or whether it is one to a proxy on the way there.

    That is certain of a socket whose own name is another one than that of the leg. The service is
    none of the proxy's business then.
    """
    stated = peek_leg()
    if stated is None:
        return None, False
    leg = None if name is None else take_leg(name)
    if leg is not None:
        return leg, False
    if is_dialled_for_another(socket, stated[0]):
        return None, True
    return (take_leg(None) if name is None else None), False


def _find_plan(generation: Generation, context: ssl.SSLContext, question: Question) -> Plan:
    host, port, service = question[:3]
    decision = generation.policy.select(host, port, service)
    warn_of_unknowns(generation.policy, host, port, decision)
    record = ledger.find_or_adopt(context)
    key = decision, *question[3:], callers_own(_message_callback_of(context))
    if is_observed(generation, (host, port)):
        return _planner_for(generation, context, record, key).plan_observed()
    plan = _plan_by_decision(generation, context, record, key)
    plans_of(generation, context, record).remember(question, key, plan)
    return plan


def _plan_by_decision(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, key: Key
) -> Plan:
    kept = plans_of(generation, context, record).by_key.get(key)
    if kept is not None:
        return kept
    plan = _planner_for(generation, context, record, key).plan()
    # Where the record has a successor by now, nobody looks at what this one keeps.
    if not plan.is_passing and not may_change_unseen(context):
        plans_of(generation, context, record).keep(key, plan)
    return plan


def _planner_for(
    generation: Generation, context: ssl.SSLContext, record: ContextRecord, key: Key
) -> ConnectionPlanner:
    decision, verify_mode, key_log, callback = key
    return ConnectionPlanner(
        generation,
        weakref.ref(context),
        ledger.look_at(context, record),
        decision,
        verify_mode,
        key_log,
        callback,
    )
