"""Patches of the two places where ``ssl`` creates connections, and of what shows their context.

``SSLContext._wrap_socket`` and ``_wrap_bio`` make every connection of the standard library, of
sync code, asyncio, uvloop and gevent. They are on the hot path, hence plain functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from ...base import genuine_context
from ...connections import Attempt, asked_at_creation, begin
from ...contexts import IdentityContext, MissingOwnerError, hand_over, warn_of_missing_owner
from ...contexts.ledger import ledger
from ...decisions import in_force
from ..patching import Addition, Patch, Switch, attribute_of, unbound
from .attempts import attempt_of, note_beside
from .engine import VERIFY_MODE, SslEngine
from .sessions import resume

_engine = SslEngine()


def _equip(connection: Any, owner: Any, attempt: Attempt, session: Any) -> None:
    """Give a new connection what it takes at its creation."""
    attempt.start(owner)
    plan = attempt.plan
    if plan.at_creation is not None:
        connection.context = plan.at_creation
    if plan.handover is not None:
        _hand_over(connection, owner, attempt)
    try:
        owner._mxcert_attempt = attempt
    except AttributeError:
        note_beside(owner, attempt)
    if session is not None:
        resume(connection, session, attempt.context, attempt.mark)


def _hand_over(connection: Any, owner: Any, attempt: Attempt) -> None:
    plan = attempt.plan
    assert plan.handover is not None  # noqa: S101 - only called where there is one
    # As it is now: later changes of the caller's context do not count for this connection.
    may_ask_later = attempt.context.post_handshake_auth
    if hand_over(connection, owner, functools.partial(plan.handover, attempt, may_ask_later)):
        return
    if plan.decision.rule is not None:
        raise MissingOwnerError(str(attempt.host), str(plan.decision))
    warn_of_missing_owner()


def _build_wrap_socket(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def _wrap_socket(
        self: Any,
        sock: Any,
        server_side: bool,
        server_hostname: Any = None,
        *,
        owner: Any = None,
        session: Any = None,
    ) -> Any:
        generation = None if server_side or not switch.on else in_force.up_to_date()
        if generation is None:
            ledger.finish_loads(self)
            return original(self, sock, server_side, server_hostname, owner=owner, session=session)
        asked = asked_at_creation(generation.policy, server_hostname, sock)
        attempt = begin(generation, asked, self, _engine)
        connection = original(self, sock, False, server_hostname, owner=owner)
        _equip(connection, sock if owner is None else owner, attempt, session)
        return connection

    return _wrap_socket


def _build_wrap_bio(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def _wrap_bio(
        self: Any,
        incoming: Any,
        outgoing: Any,
        server_side: bool,
        server_hostname: Any = None,
        *,
        owner: Any = None,
        session: Any = None,
    ) -> Any:
        generation = None if server_side or not switch.on else in_force.up_to_date()
        if generation is None:
            ledger.finish_loads(self)
            return original(
                self,
                incoming,
                outgoing,
                server_side,
                server_hostname,
                owner=owner,
                session=session,
            )
        asked = asked_at_creation(generation.policy, server_hostname, None)
        attempt = begin(generation, asked, self, _engine)
        connection = original(self, incoming, outgoing, False, server_hostname, owner=owner)
        _equip(connection, owner, attempt, session)
        return connection

    return _wrap_bio


def _build_context_property(original: property, switch: Switch) -> property:
    """``SSLObject.context``, which would show the identity context; ``SSLSocket`` does not.

    A server sets it when it is told the name that its client asks for.
    """
    show = cast("Callable[[Any], Any]", original.fget)
    take = cast("Callable[[Any, Any], None]", original.fset)

    def context(self: Any) -> Any:
        shown = show(self)
        if not isinstance(shown, IdentityContext):
            return shown
        attempt = attempt_of(self)
        return None if attempt is None else attempt.context

    def set_context(self: Any, value: Any) -> None:
        if isinstance(value, genuine_context()):
            ledger.finish_loads(value)
        take(self, value)

    return property(context, set_context, original.fdel, original.__doc__)


def connection_patches() -> tuple[Patch, ...]:
    """The patches of the creation of connections."""
    return (
        # Half the price of calling the getter by its descriptor.
        Addition(genuine_context, "_mxcert_verify_mode", VERIFY_MODE),
        Patch(genuine_context, "_wrap_socket", _build_wrap_socket),
        Patch(genuine_context, "_wrap_bio", _build_wrap_bio),
        Patch(attribute_of("ssl", "SSLObject"), "context", _build_context_property),
        Patch(attribute_of("ssl", "SSLSocket"), "context", _build_context_property),
    )
