"""The service that the running code has named: what it entered, and what of that still counts.

A context variable, so that threads and asyncio tasks do not see each other's services.
"""

from __future__ import annotations

from contextvars import ContextVar, Token


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
