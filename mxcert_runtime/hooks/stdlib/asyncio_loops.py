"""asyncio: tells the endpoint of a connection, since what creates it knows memory BIOs only.

A connection without TLS may turn to it later, so the name that was dialled is noted on its socket.
The event loop runs the handshake in the context in which the connection was asked for, so that the
leg stated here is still known there. Loops that are not written in Python (uvloop) are not reached.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ...base import UnnamedHost, host_dialled
from ...connections import endpoint_of_socket, note_dialled
from ...decisions import dialling, dialling_proxy, peek_leg
from ..patching import Library, Patch, attribute_of, wrapping

#: states the leg of a connection while it is opened
Dialling = AbstractContextManager[None]


async def _create_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = await _call_on_leg(_dialling_connection, wrapped, args, kwargs)
    _note_host(result[0], *args, **kwargs)
    return result


async def _start_tls(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return await _call_on_leg(_dialling_on_transport, wrapped, args, kwargs)


async def _call_on_leg(find: Callable[..., Dialling], wrapped: Any, args: Any, kwargs: Any) -> Any:
    try:
        dials = find(*args, **kwargs)
    except (AttributeError, OSError, TypeError):
        dials = nullcontext()  # arguments that asyncio will have a word of its own on
    with dials:
        return await wrapped(*args, **kwargs)


def _dialling_connection(
    protocol_factory: Any = None,
    host: Any = None,
    port: Any = None,
    *,
    ssl: Any = None,
    sock: Any = None,
    server_hostname: Any = None,
    **others: Any,
) -> Dialling:
    if not ssl:
        return nullcontext()
    if sock is None:
        named = server_hostname or (host_dialled(host) if host else UnnamedHost(None))
        return dialling(named, port)
    return _dialling_over(server_hostname, sock)


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


def _dialling_on_transport(
    transport: Any,
    protocol: Any = None,
    sslcontext: Any = None,
    *,
    server_hostname: Any = None,
    **others: Any,
) -> Dialling:
    return _dialling_over(server_hostname, transport.get_extra_info("socket"))


def _dialling_over(name: str | None, sock: Any) -> Dialling:
    """The leg on a connection that is there already, whose peer may be a proxy."""
    # Whoever dials on it may have told more.
    stated = peek_leg(name or None)
    if stated is not None:
        return dialling(*stated)
    # What is opened on the way to a leg, and is not that leg, leads to a proxy.
    dials = dialling if peek_leg() is None else dialling_proxy
    return dials(*endpoint_of_socket(sock, name or None))


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("asyncio.base_events", "BaseEventLoop")
    return (
        Patch(owner, "create_connection", wrapping(_create_connection)),
        Patch(owner, "start_tls", wrapping(_start_tls)),
    )


LIBRARY = Library("asyncio.base_events", _patches)
