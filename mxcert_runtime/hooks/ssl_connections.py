"""Patches of the two places where ``ssl`` creates connections, and of what shows their context.

``SSLContext._wrap_socket`` and ``_wrap_bio`` make every connection of the standard library, of
sync code, asyncio, uvloop and gevent. They are on the hot path, hence plain functions.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import ssl
from collections.abc import Callable
from typing import Any, cast

from .. import runtime
from ..connection_plan import Plan
from ..context_record import ledger
from ..identity_context import IdentityContext
from ..late_context import hand_over, listen_on
from ..native_ssl import GenuineContext
from ..patching import Patch, Switch, attribute_of
from ..planning import plan_connection, plan_observation
from ..policy import Policy
from ..presentation import Presentation
from ..scope import current_service, take_leg
from .ssl_sessions import resume

_logger = logging.getLogger("mxcert_runtime")
_logs_debug = _logger.isEnabledFor
_current_service = current_service.get


def _decide(
    generation: runtime.Generation, context: ssl.SSLContext, host: str | None, port: int | None
) -> tuple[Plan, str | None, int | None, str | None]:
    """The plan for a new connection, with the fields of its presentation."""
    service = _current_service()
    decision = generation.policy.select(host, port, service)
    record = ledger.find(context) or ledger.adopt(context)
    if generation.watched and (host, port) in generation.watched:
        plan = plan_observation(generation, context, record, decision)
    else:
        plan = plan_connection(generation, context, record, decision)
    if _logs_debug(logging.DEBUG):
        _logger.debug("%s:%s presents %s", host, port, decision)
    if plan.listens_on_caller:
        listen_on(context)
    return plan, host, port, service


def _present(
    connection: Any,
    context: ssl.SSLContext,
    owner: Any,
    presentation: tuple[Plan, str | None, int | None, str | None],
) -> None:
    """Give a new connection what its plan says, and note that on its owner."""
    plan = presentation[0]
    plan.count()
    if plan.at_creation is not None:
        connection.context = plan.at_creation
    if plan.handover is not None:
        handover = plan.handover(presentation[1], bool(context.post_handshake_auth))
        hand_over(connection, owner, handover)
    # The sockets of other libraries may have no room for it; their sessions are nobody's then,
    # and are not resumed where something is presented.
    with contextlib.suppress(AttributeError):
        owner._mxcert_presentation = presentation


def _find_endpoint(
    policy: Policy, server_hostname: str | None, socket: Any
) -> tuple[str | None, int | None]:
    """Host and port; the port only where one can matter.

    The layer that dials knows best: the peer of a socket may be a proxy.
    """
    leg = take_leg()
    if server_hostname is not None and not policy.has_port_rules:
        return server_hostname, None
    peer = leg or _peer(socket)
    host = server_hostname if server_hostname is not None else peer[0]
    if peer[1] is None and policy.port_matters(host):
        _warn_of_unknown_port(host)
    return host, peer[1]


def _peer(socket: Any) -> tuple[str | None, int | None]:
    try:
        address = socket.getpeername()
    except (AttributeError, OSError):
        return None, None
    # A Unix socket has a path here, and no port.
    return address[:2] if isinstance(address, tuple) else (None, None)


@functools.lru_cache(maxsize=256)
def _warn_of_unknown_port(host: str | None) -> None:
    """Warn, once for each host, that its rules with a port do not apply."""
    _logger.warning(
        "the port of a connection to %s is not known, so its rules with a port do not apply; "
        "a rule without a port does",
        host,
    )


def _build_wrap_socket(original: Any, switch: Switch) -> Any:
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
        generation = runtime.current
        if server_side or generation is None or not switch.on:
            ledger.finish_loads(self)
            return original(self, sock, server_side, server_hostname, owner=owner, session=session)
        host, port = _find_endpoint(generation.policy, server_hostname, sock)
        presentation = _decide(generation, self, host, port)
        connection = original(self, sock, server_side, server_hostname, owner=owner)
        _present(connection, self, sock if owner is None else owner, presentation)
        if session is not None:
            resume(connection, session, self, Presentation(*presentation).mark)
        return connection

    return _wrap_socket


def _build_wrap_bio(original: Any, switch: Switch) -> Any:
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
        generation = runtime.current
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
        host, port = _find_endpoint(generation.policy, server_hostname, None)
        presentation = _decide(generation, self, host, port)
        connection = original(self, incoming, outgoing, server_side, server_hostname, owner=owner)
        _present(connection, self, owner, presentation)
        if session is not None:
            resume(connection, session, self, Presentation(*presentation).mark)
        if isinstance(owner, ssl.SSLObject):
            owner._mxcert_caller = self  # type: ignore[attr-defined]
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
        return self._mxcert_caller if isinstance(shown, IdentityContext) else shown

    def set_context(self: Any, value: Any) -> None:
        if isinstance(value, GenuineContext):
            ledger.finish_loads(value)
        take(self, value)

    return property(context, set_context, original.fdel, original.__doc__)


def connection_patches() -> tuple[Patch, ...]:
    """The patches of the creation of connections."""
    return (
        Patch(lambda: GenuineContext, "_wrap_socket", _build_wrap_socket),
        Patch(lambda: GenuineContext, "_wrap_bio", _build_wrap_bio),
        Patch(attribute_of("ssl", "SSLObject"), "context", _build_context_property),
        Patch(attribute_of("ssl", "SSLSocket"), "context", _build_context_property),
    )
