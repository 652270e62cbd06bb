"""Patches of the two places where ``ssl`` creates connections, and of what shows their context.

``SSLContext._wrap_socket`` and ``_wrap_bio`` make every connection of the standard library, of
sync code, asyncio, uvloop and gevent. They are on the hot path, hence plain functions.
"""

from __future__ import annotations

import functools
import logging
import ssl
from collections.abc import Callable
from typing import Any, cast

from .. import runtime
from ..connection_plan import plan_connection
from ..context_record import ledger
from ..identity_context import IdentityContext
from ..late_context import hand_over, listen_on
from ..native_ssl import GenuineContext
from ..patching import Patch, Switch, attribute_of
from ..policy import Policy
from ..scope import current_service, take_leg
from .ssl_sessions import mark_connection, resume

_logger = logging.getLogger("mxcert_runtime")


def _connect(
    generation: runtime.Generation,
    context: ssl.SSLContext,
    endpoint: tuple[str | None, int | None],
    owner: Any,
    session: Any,
    create: Callable[[], Any],
) -> Any:
    """Create a client's connection and give it what the policy decides."""
    host, port = endpoint
    decision = generation.policy.select(host, port, current_service.get())
    record = ledger.find(context) or ledger.adopt(context)
    plan = plan_connection(generation, context, record, decision)
    _logger.debug("%s:%s presents %s", host, port, decision)
    if plan.listens_on_caller:
        listen_on(context)
    connection = create()
    if plan.at_creation is not None:
        connection.context = plan.at_creation
    if plan.handover is not None:
        handover = plan.handover(host, bool(context.post_handshake_auth))
        hand_over(connection, owner, handover)
    mark = None if plan.mark is None else (plan.mark, host)
    if mark is not None:
        mark_connection(owner, mark)
    if session is not None:
        resume(connection, session, context, mark)
    return connection


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
            return original(self, sock, server_side, server_hostname, owner=owner, session=session)
        return _connect(
            generation,
            self,
            _find_endpoint(generation.policy, server_hostname, sock),
            sock if owner is None else owner,
            session,
            lambda: original(self, sock, server_side, server_hostname, owner=owner),
        )

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
            return original(
                self,
                incoming,
                outgoing,
                server_side,
                server_hostname,
                owner=owner,
                session=session,
            )
        connection = _connect(
            generation,
            self,
            _find_endpoint(generation.policy, server_hostname, None),
            owner,
            session,
            lambda: original(self, incoming, outgoing, server_side, server_hostname, owner=owner),
        )
        if isinstance(owner, ssl.SSLObject):
            owner._mxcert_caller = self  # type: ignore[attr-defined]
        return connection

    return _wrap_bio


def _build_context_property(original: property, switch: Switch) -> property:
    """``SSLObject.context``, which would show the identity context; ``SSLSocket`` does not."""
    show = cast("Callable[[Any], Any]", original.fget)

    def context(self: Any) -> Any:
        shown = show(self)
        return self._mxcert_caller if isinstance(shown, IdentityContext) else shown

    return property(context, original.fset, original.fdel, original.__doc__)


def connection_patches() -> tuple[Patch, ...]:
    """The patches of the creation of connections."""
    return (
        Patch(lambda: GenuineContext, "_wrap_socket", _build_wrap_socket),
        Patch(lambda: GenuineContext, "_wrap_bio", _build_wrap_bio),
        Patch(attribute_of("ssl", "SSLObject"), "context", _build_context_property),
    )
