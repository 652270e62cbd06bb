"""The TLS leg that the running code is about to open: to which endpoint, and whether to a proxy.

A context variable, so that threads and asyncio tasks do not see each other's legs.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from ..base import Host, UnnamedHost, canonical_host
from .current_service import current_service


class Leg:
    """Host and port of the TLS leg that the running code is about to open.

    A proxy tunnel hides them from the socket, whose peer is the proxy. A leg is for one connection
    object: callbacks and tasks that are started meanwhile inherit it, and must not go by it. Nor
    must a connection that verifies another name, since it leads elsewhere.
    """

    __slots__ = ("attempts", "endpoint", "holders")

    def __init__(self, host: Host, port: int | None, attempts: int = 1) -> None:
        self.endpoint = host, port
        #: for how many connection objects; a library may try again by itself
        self.attempts = attempts
        #: those that may learn their name yet
        self.holders: tuple[weakref.ref[object], ...] = ()

    def is_held_by(self, connection: object) -> bool:
        """Whether it is the leg of a connection object."""
        return any(holder() is connection for holder in self.holders)

    def let_go(self, connection: object) -> None:
        """Be for another connection object, since this one leads elsewhere."""
        self.holders = tuple(each for each in self.holders if each() is not connection)
        self.attempts += 1

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
    # Clients take off every dot at the end before TLS verifies the name.
    return canonical_host(host.rstrip("."))


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
    """The endpoint for the connection object that is created now; the leg is spent by that."""
    leg = current_leg.get()
    if leg is None or not leg.attempts or not leg.leads_to(name):
        return None
    leg.attempts -= 1
    return leg.endpoint


def hold_leg(connection: object, name: str | None) -> tuple[Host, int | None] | None:
    """The endpoint for a connection object that may learn its name yet.

    The leg is spent by the first one, which may ask again, until it verifies another name.
    """
    leg = current_leg.get()
    if leg is None or not leg.leads_to(name) or not leg.attempts:
        return None
    leg.attempts -= 1
    leg.holders = (*leg.holders, weakref.ref(connection))
    return leg.endpoint


def held_leg(connection: object, name: str | None) -> tuple[Host, int | None] | None:
    """The endpoint of the leg that a connection object holds, if it leads where that goes."""
    leg = current_leg.get()
    if leg is None or not leg.is_held_by(connection):
        return None
    if leg.leads_to(name):
        return leg.endpoint
    leg.let_go(connection)
    return None


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
        # A coroutine that was begun in one context may be closed in another.
        with suppress(ValueError):
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
