"""asyncio: tells the endpoint of a connection, since what creates it knows memory BIOs only.

The event loop runs the handshake in the context in which the connection was asked for, so that the
leg stated here is still known there. Loops that are not written in Python (uvloop) are not reached.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..patching import Library, Patch, attribute_of, wrapping
from ..scope import dialling, dialling_proxy, peek_leg

#: states the leg of a connection while it is opened
Dialling = AbstractContextManager[None]


async def _create_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return await _call_on_leg(_dialling_connection, wrapped, args, kwargs)


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
        return dialling(server_hostname or host, port)
    return _dialling_over(server_hostname, sock.getpeername())


def _dialling_on_transport(
    transport: Any,
    protocol: Any = None,
    sslcontext: Any = None,
    *,
    server_hostname: Any = None,
    **others: Any,
) -> Dialling:
    return _dialling_over(server_hostname, transport.get_extra_info("peername"))


def _dialling_over(name: str | None, peer: Any) -> Dialling:
    """The leg on a connection that is there already, whose peer may be a proxy."""
    # Whoever dials on it may have told more.
    stated = peek_leg(name or None)
    if stated is not None:
        return dialling(*stated)
    if not isinstance(peer, tuple):
        return nullcontext()  # a Unix socket
    # What is opened on the way to a leg, and is not that leg, leads to a proxy.
    dials = dialling if peek_leg() is None else dialling_proxy
    return dials(name or peer[0], peer[1])


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("asyncio.base_events", "BaseEventLoop")
    return (
        Patch(owner, "create_connection", wrapping(_create_connection)),
        Patch(owner, "start_tls", wrapping(_start_tls)),
    )


LIBRARY = Library("asyncio.base_events", _patches)
