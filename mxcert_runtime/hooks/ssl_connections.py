"""Patches of the two places where ``ssl`` creates connections, and of what shows their context.

``SSLContext._wrap_socket`` and ``_wrap_bio`` make every connection of the standard library, of
sync code, asyncio, uvloop and gevent. They are on the hot path, hence plain functions.
"""

from __future__ import annotations

import functools
import logging
import ssl
from collections.abc import Callable
from logging import DEBUG
from typing import Any, Optional, cast

from .. import runtime
from ..connection_plan import Plan
from ..context_record import ledger
from ..identity_context import IdentityContext
from ..late_context import hand_over, listen_on
from ..native_ssl import GenuineContext
from ..patching import Patch, Switch, attribute_of
from ..planning import plan_connection
from ..policy import Policy
from ..presentation import Presentation, presentation_of
from ..scope import current_service, take_leg
from .ssl_sessions import resume

_logger = logging.getLogger("mxcert_runtime")
_logs = _logger.isEnabledFor
_current_service = current_service.get


#: the fields of a presentation
_Noted = tuple[Plan, Optional[str], Optional[int], Optional[str], ssl.SSLContext]


def _decide(
    generation: runtime.Generation,
    context: ssl.SSLContext,
    server_hostname: str | None,
    socket: Any,
) -> _Noted:
    """The plan for a new connection, with the other fields of its presentation."""
    leg = take_leg()
    host, port = server_hostname, None
    # A port is looked for only where one can matter.
    if host is None or generation.policy.has_port_rules:
        host, port = _find_endpoint(generation.policy, host, leg or _peer(socket))
    service = _current_service()
    plan = plan_connection(generation, context, host, port, service)
    if _logs(DEBUG):
        _logger.debug("%s:%s presents %s", host, port, plan.decision)
    if plan.listens_on_caller:
        listen_on(context)
    return plan, host, port, service, context


def _present(connection: Any, owner: Any, noted: _Noted) -> None:
    """Give a new connection what its plan says, and note that on its owner."""
    plan = noted[0]
    plan.count()
    if plan.at_creation is not None:
        connection.context = plan.at_creation
    if plan.handover is not None:
        handover = plan.handover(noted[1], bool(noted[4].post_handshake_auth))
        hand_over(connection, owner, handover)
    try:  # noqa: SIM105 - `contextlib.suppress` would take longer than all the rest
        owner._mxcert_presentation = noted
    except AttributeError:
        # The sockets of other libraries may have no room for it; their sessions are nobody's
        # then, and are not resumed where something is presented.
        pass


def _find_endpoint(
    policy: Policy, server_hostname: str | None, peer: tuple[str | None, int | None]
) -> tuple[str | None, int | None]:
    """Host and port. The layer that dials knows ``peer`` best: that of a socket may be a proxy."""
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
        noted = _decide(generation, self, server_hostname, sock)
        connection = original(self, sock, False, server_hostname, owner=owner)
        _present(connection, sock if owner is None else owner, noted)
        if session is not None:
            resume(connection, session, self, Presentation(*noted).mark)
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
        noted = _decide(generation, self, server_hostname, None)
        connection = original(self, incoming, outgoing, False, server_hostname, owner=owner)
        _present(connection, owner, noted)
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
