"""What the running code says about its next connection: the service, and the leg it dials.

Context variables, so that threads and asyncio tasks do not see each other's values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token

from ..base.hosts import Host, UnnamedHost, canonical_host


class ServiceEntry:
    """One entering of a service: what stands among the scopes of a context until it is left."""

    __slots__ = ("is_abandoned", "name", "owner", "place", "token")

    def __init__(self, name: str | None, owner: object, place: object) -> None:
        self.name = name
        #: who entered it, and where; for that one to find it again
        self.owner, self.place = owner, place
        #: tells the context that it was entered in from every other; ``None`` once it is left
        self.token: Token[None] | None = None
        #: whether it was left where nobody could take it out of the context that it was entered in
        self.is_abandoned = False


#: The entries of a context, from the outside in. A copy of the context has them too.
_entries: ContextVar[tuple[ServiceEntry, ...]] = ContextVar("mxcert_services", default=())
_entries_now = _entries.get

#: Only for its tokens, which no context but their own accepts.
_own_context: ContextVar[None] = ContextVar("mxcert_own_context", default=None)


def enter_service(name: str | None, owner: object = None, place: object = None) -> ServiceEntry:
    """Make ``name`` the current service, until the entry is left; ``None``: no service."""
    entry = ServiceEntry(name, owner, place)
    entry.token = _own_context.set(None)
    # Whoever goes through generators that asyncio closes would gather theirs without end.
    _entries.set((*(each for each in _entries_now() if not each.is_abandoned), entry))
    return entry


def leave_service(entry: ServiceEntry) -> None:
    """Take this very entry out of the present context, wherever in it; all others stay.

    One that was entered in another context cannot be taken out there; it counts there no more.
    """
    token, entry.token = entry.token, None
    if token is not None:
        try:
            _own_context.reset(token)
        except ValueError:  # a generator that somebody else closes, such as asyncio's loop
            entry.is_abandoned = True
    entries = _entries_now()
    if entry in entries:
        _entries.set(tuple(each for each in entries if each is not entry and not each.is_abandoned))


def last_entry_of(owner: object) -> ServiceEntry | None:
    """The innermost entry of an owner in the present context."""
    return next((each for each in reversed(_entries_now()) if each.owner is owner), None)


class _CurrentService:
    """The name of the service that the running code calls, if it said so.

    Has the methods of a :class:`~contextvars.ContextVar`.
    """

    __slots__ = ()

    def get(self) -> str | None:
        """The name of the innermost scope that still counts."""
        entries = _entries_now()
        if not entries:  # as on nearly every connection
            return None
        for entry in reversed(entries):
            if not entry.is_abandoned:
                return entry.name
        return None

    def set(self, name: str | None) -> ServiceEntry:
        """Enter a scope; what it returns is for :meth:`reset`."""
        return enter_service(name)

    def reset(self, token: ServiceEntry) -> None:
        """Leave it."""
        leave_service(token)


current_service = _CurrentService()


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
