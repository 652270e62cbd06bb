"""Patches of the two places where ``ssl`` creates connections, and of what shows their context.

``SSLContext._wrap_socket`` and ``_wrap_bio`` make every connection of the standard library, of
sync code, asyncio, uvloop and gevent. They are on the hot path, hence plain functions, which share
nothing where a connection only takes its context: a call more is a tenth of what they may take.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from ...base.genuine_ssl import genuine_context
from ...connections.deciding import VERIFY_MODE, Noted, decide_connection
from ...connections.presentation import Presentation, note_beside, presentation_of
from ...contexts.handover import MissingOwnerError, hand_over, warn_of_missing_owner
from ...contexts.identity_contexts import IdentityContext
from ...contexts.ledger import ledger
from ...decisions import in_force
from ..patching import Addition, Patch, Switch, attribute_of, unbound
from .sessions import resume


def _hand_over(connection: Any, owner: Any, noted: Noted) -> None:
    plan, host, _, _, context = noted
    assert plan.handover is not None  # noqa: S101 - only called where there is one
    if hand_over(connection, owner, plan.handover(host, bool(context.post_handshake_auth))):
        return
    if plan.decision.rule is not None:
        raise MissingOwnerError(str(host), str(plan.decision))
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
        generation = in_force.current
        if server_side or generation is None or not switch.on:
            ledger.finish_loads(self)
            return original(self, sock, server_side, server_hostname, owner=owner, session=session)
        noted = decide_connection(generation, self, server_hostname, sock)
        connection = original(self, sock, False, server_hostname, owner=owner)
        if owner is None:
            owner = sock
        plan = noted[0]
        if plan.count is not None:
            plan.count()
        if plan.at_creation is not None:
            connection.context = plan.at_creation
        if plan.handover is not None:
            _hand_over(connection, owner, noted)
        try:
            owner._mxcert_presentation = noted
        except AttributeError:
            note_beside(owner, noted)
        if session is not None:
            resume(connection, session, self, Presentation(*noted).mark)
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
        generation = in_force.current
        if server_side or generation is None or not switch.on:
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
        noted = decide_connection(generation, self, server_hostname, None)
        connection = original(self, incoming, outgoing, False, server_hostname, owner=owner)
        plan = noted[0]
        if plan.count is not None:
            plan.count()
        if plan.at_creation is not None:
            connection.context = plan.at_creation
        if plan.handover is not None:
            _hand_over(connection, owner, noted)
        try:
            owner._mxcert_presentation = noted
        except AttributeError:
            note_beside(owner, noted)
        if session is not None:
            resume(connection, session, self, Presentation(*noted).mark)
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
        presentation = presentation_of(self)
        return None if presentation is None else presentation.context

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
