"""What the running code says about its next connection: the service, and the leg it dials.

Context variables, so that threads and asyncio tasks do not see each other's values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: The name of the service that the running code calls, if it said so.
current_service: ContextVar[str | None] = ContextVar("mxcert_service", default=None)

#: The services around the current one, from the outside in.
_outer_services: ContextVar[tuple[str | None, ...]] = ContextVar("mxcert_outer", default=())

#: Host and port of the TLS leg that the running code is about to open. A proxy tunnel hides them
#: from the socket, whose peer is the proxy.
current_leg: ContextVar[tuple[str, int] | None] = ContextVar("mxcert_leg", default=None)


@contextmanager
def dialling(host: str, port: int) -> Iterator[None]:
    """State the leg for the connection objects that are created inside."""
    token = current_leg.set((host, port))
    try:
        yield
    finally:
        current_leg.reset(token)


def enter_service(name: str) -> None:
    """Make ``name`` the current service, until :func:`leave_service`."""
    _outer_services.set((*_outer_services.get(), current_service.get()))
    current_service.set(name)


def leave_service() -> None:
    """Make the service current that was so before the last :func:`enter_service`."""
    *outer, previous = _outer_services.get()
    _outer_services.set(tuple(outer))
    current_service.set(previous)
