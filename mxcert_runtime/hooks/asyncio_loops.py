"""asyncio: tells the endpoint of a connection, since what creates it knows memory BIOs only.

A connection without TLS may turn to it later, so the name that was dialled is noted on its socket.
The event loop runs the handshake in the context in which the connection was asked for, so that the
leg stated here is still known there. Loops that are not written in Python (uvloop) are not reached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dialled_sockets import endpoint_of_socket, note_dialled
from ..endpoint import Host, UnnamedHost, host_dialled
from ..patching import Library, Patch, attribute_of, wrapping
from ..scope import dialling, peek_leg


async def _create_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = await _call_on_leg(_leg_of_connection, wrapped, args, kwargs)
    _note_host(result[0], *args, **kwargs)
    return result


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
) -> tuple[Host, int | None] | None:
    if not ssl:
        return None
    if sock is None:
        return server_hostname or (host_dialled(host) if host else UnnamedHost(None)), port
    # Whoever dials on a socket of its own may have told more: the socket may end at a proxy.
    return peek_leg() or endpoint_of_socket(sock, server_hostname or None)


def _note_host(
    transport: Any,
    protocol_factory: Any = None,
    host: Any = None,
    port: Any = None,
    *,
    ssl: Any = None,
    sock: Any = None,
    **others: Any,
) -> None:
    if sock is None and not ssl:
        note_dialled(transport.get_extra_info("socket"), host, port)


def _leg_of_transport(
    transport: Any,
    protocol: Any = None,
    sslcontext: Any = None,
    *,
    server_hostname: Any = None,
    **others: Any,
) -> tuple[Host, int | None] | None:
    sock = transport.get_extra_info("socket")
    return peek_leg() or endpoint_of_socket(sock, server_hostname or None)


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("asyncio.base_events", "BaseEventLoop")
    return (
        Patch(owner, "create_connection", wrapping(_create_connection)),
        Patch(owner, "start_tls", wrapping(_start_tls)),
    )


LIBRARY = Library("asyncio.base_events", _patches)
