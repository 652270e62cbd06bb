"""What the running code says about its next connection: the service, and the leg it dials.

Context variables, so that threads and asyncio tasks do not see each other's values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .endpoint import Host, UnnamedHost, canonical_host

#: The name of the service that the running code calls, if it said so.
current_service: ContextVar[str | None] = ContextVar("mxcert_service", default=None)

#: The services around the current one, from the outside in.
_outer_services: ContextVar[tuple[str | None, ...]] = ContextVar("mxcert_outer", default=())


class Leg:
    """Host and port of the TLS leg that the running code is about to open.

    A proxy tunnel hides them from the socket, whose peer is the proxy. A leg is for one connection
    object: callbacks and tasks that are started meanwhile inherit it, and must not go by it. Nor
    must a connection that verifies another name, since it leads elsewhere.
    """

    __slots__ = ("attempts", "endpoint")

    def __init__(self, host: Host, port: int | None, attempts: int = 1) -> None:
        self.endpoint = host, port
        #: for how many connection objects; a library may try again by itself
        self.attempts = attempts

    def leads_to(self, name: str | None) -> bool:
        """Whether a connection that verifies ``name``, or ``None``, may be the one meant."""
        host = self.endpoint[0]
        if isinstance(host, UnnamedHost):
            return True  # who dials an address may know the name that belongs to it
        try:
            return name is None or name == host or _bare(name) == _bare(host)
        except (AttributeError, TypeError):
            return True  # the client was given no text for a host, and will have a word of its own


def _bare(host: str) -> str:
    # Clients take off brackets and every dot at the end before TLS verifies the name.
    return canonical_host(host.strip("[]").rstrip("."))


#: for whoever cannot afford a call where there is none
current_leg: ContextVar[Leg | None] = ContextVar("mxcert_leg", default=None)


def peek_leg(name: str | None = None) -> tuple[Host, int | None] | None:
    """The endpoint of the leg that is about to be opened, if somebody said so.

    ``name`` is what the connection verifies, where that is known.
    """
    leg = current_leg.get()
    if leg is None or not leg.attempts or not leg.leads_to(name):
        return None
    return leg.endpoint


def take_leg(name: str | None = None) -> tuple[Host, int | None] | None:
    """The same for the connection object that is created now; the leg is spent by that."""
    leg = current_leg.get()
    if leg is None or not leg.attempts or not leg.leads_to(name):
        return None
    leg.attempts -= 1
    return leg.endpoint


@contextmanager
def dialling(host: Host, port: int | None, attempts: int = 1) -> Iterator[None]:
    """State the leg for the connection object that is created inside.

    ``port`` is ``None`` where it is not known for certain.
    """
    leg = Leg(host, port, attempts)
    token = current_leg.set(leg)
    try:
        yield
    finally:
        leg.attempts = 0
        current_leg.reset(token)


@contextmanager
def dialling_proxy(host: Host, port: int | None, attempts: int = 1) -> Iterator[None]:
    """State a leg to a proxy. The service is none of its business: its own name decides."""
    token = current_service.set(None)
    try:
        with dialling(host, port, attempts):
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
