"""What the running code says about its next connection: the service, and the leg it dials.

Context variables, so that threads and asyncio tasks do not see each other's values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .endpoint import Host

#: The name of the service that the running code calls, if it said so.
current_service: ContextVar[str | None] = ContextVar("mxcert_service", default=None)

#: The services around the current one, from the outside in.
_outer_services: ContextVar[tuple[str | None, ...]] = ContextVar("mxcert_outer", default=())


class Leg:
    """Host and port of the TLS leg that the running code is about to open.

    A proxy tunnel hides them from the socket, whose peer is the proxy. A leg is for one connection
    object: callbacks and tasks that are started meanwhile inherit it, and must not go by it.
    """

    __slots__ = ("endpoint", "is_spent")

    def __init__(self, host: Host, port: int | None) -> None:
        self.endpoint = host, port
        self.is_spent = False


#: for whoever cannot afford a call where there is none
current_leg: ContextVar[Leg | None] = ContextVar("mxcert_leg", default=None)


def peek_leg() -> tuple[Host, int | None] | None:
    """The endpoint of the leg that is about to be opened, if somebody said so."""
    leg = current_leg.get()
    return None if leg is None or leg.is_spent else leg.endpoint


def take_leg() -> tuple[Host, int | None] | None:
    """The same for the connection object that is created now; the leg is spent by that."""
    leg = current_leg.get()
    if leg is None or leg.is_spent:
        return None
    leg.is_spent = True
    return leg.endpoint


@contextmanager
def dialling(host: Host, port: int | None) -> Iterator[None]:
    """State the leg for the connection object that is created inside.

    ``port`` is ``None`` where it is not known for certain.
    """
    leg = Leg(host, port)
    token = current_leg.set(leg)
    try:
        yield
    finally:
        leg.is_spent = True
        current_leg.reset(token)


@contextmanager
def dialling_proxy(host: str, port: int) -> Iterator[None]:
    """State a leg to a proxy. The service is none of its business: its own name decides."""
    token = current_service.set(None)
    try:
        with dialling(host, port):
            yield
    finally:
        current_service.reset(token)


def enter_service(name: str) -> None:
    """Make ``name`` the current service, until :func:`leave_service`."""
    _outer_services.set((*_outer_services.get(), current_service.get()))
    current_service.set(name)


def leave_service() -> None:
    """Make the service current that was so before the last :func:`enter_service`."""
    # Where another context entered it (an async generator that the loop closes), none was current.
    *outer, previous = _outer_services.get() or (None,)
    _outer_services.set(tuple(outer))
    current_service.set(previous)
