"""asyncio: tells the endpoint of a connection, since what creates it knows memory BIOs only.

The event loop runs the handshake in the context in which the connection was asked for, so that the
leg stated here is still known there. Loops that are not written in Python (uvloop) are not reached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..patching import Library, Patch, attribute_of, wrapping
from ..scope import dialling, peek_leg


async def _create_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return await _call_on_leg(_leg_of_connection, wrapped, args, kwargs)


async def _start_tls(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return await _call_on_leg(_leg_of_transport, wrapped, args, kwargs)


async def _call_on_leg(find: Callable[..., Any], wrapped: Any, args: Any, kwargs: Any) -> Any:
    try:
        leg = find(*args, **kwargs)
    except (AttributeError, OSError, TypeError):
        leg = None  # arguments that asyncio will have a word of its own on
    if leg is None:
        return await wrapped(*args, **kwargs)
    with dialling(*leg):
        return await wrapped(*args, **kwargs)


def _leg_of_connection(
    protocol_factory: Any = None,
    host: Any = None,
    port: Any = None,
    *,
    ssl: Any = None,
    sock: Any = None,
    server_hostname: Any = None,
    **others: Any,
) -> tuple[str, int] | None:
    if not ssl:
        return None
    if sock is None:
        return server_hostname or host, port
    # Whoever dials on a socket of its own may have told more: the socket may end at a proxy.
    return peek_leg() or _leg_to(server_hostname, sock.getpeername())


def _leg_of_transport(
    transport: Any,
    protocol: Any = None,
    sslcontext: Any = None,
    *,
    server_hostname: Any = None,
    **others: Any,
) -> tuple[str, int] | None:
    return peek_leg() or _leg_to(server_hostname, transport.get_extra_info("peername"))


def _leg_to(host: str | None, peer: Any) -> tuple[str, int] | None:
    """The leg to a socket's peer; a Unix socket has none."""
    return (host or peer[0], peer[1]) if isinstance(peer, tuple) else None


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("asyncio.base_events", "BaseEventLoop")
    return (
        Patch(owner, "create_connection", wrapping(_create_connection)),
        Patch(owner, "start_tls", wrapping(_start_tls)),
    )


LIBRARY = Library("asyncio.base_events", _patches)
