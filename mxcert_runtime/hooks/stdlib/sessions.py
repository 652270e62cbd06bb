"""TLS sessions that an application keeps, and which connection may resume them.

CPython ties a session to the SSL context of its connection. Identity contexts are shared by many
contexts of callers, so each session is remembered with the context that the caller used: one made
without verification must not be resumed where the server has to be verified.
"""

from __future__ import annotations

import ssl
import weakref
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum
from typing import Any, cast

from ...base import ForkSafeLock, dataclass, logger as _logger
from ...connections import SessionMark
from ..patching import Build, Patch, Switch, attribute_of
from .attempts import attempt_of
from .spent_sessions import make_worthless

#: Sessions that are remembered. An application that keeps more loses a resumption, nothing else.
_LIMIT = 256


def _mark_of(owner: Any) -> SessionMark | None:
    attempt = attempt_of(owner)
    return None if attempt is None else attempt.mark


class Verdict(Enum):
    """What becomes of a session that an application gives to a new connection."""

    RESUME = "resume"
    FULL_HANDSHAKE = "full handshake"
    #: CPython's ValueError, as it would be without us
    OTHER_CONTEXT = "other context"
    #: a session from elsewhere, on a connection that is as it would be without us
    CPYTHON_DECIDES = "CPython decides"


@dataclass(frozen=True)
class _Source:
    """Where a session comes from. It holds the session, so that its ``id()`` stays its own."""

    session: Any
    caller: weakref.ref[ssl.SSLContext]
    mark: SessionMark | None
    #: the context that CPython has tied the session to
    context: ssl.SSLContext


class SessionSources:
    """The sources of the sessions that applications took last."""

    def __init__(self) -> None:
        #: whether sources have been dropped, so that an unknown session may be anybody's
        self.has_forgotten = False
        self._sources: OrderedDict[int, _Source] = OrderedDict()
        self._lock = ForkSafeLock()

    def note(
        self, session: Any, caller: ssl.SSLContext, mark: SessionMark | None, connection: Any
    ) -> None:
        """Remember that ``session`` was taken from ``connection``."""
        if session is None:
            return
        source = _Source(
            session=session, caller=weakref.ref(caller), mark=mark, context=connection.context
        )
        with self._lock:
            self._sources[id(session)] = source
            if len(self._sources) > _LIMIT:
                _spend(self._sources.popitem(last=False)[1])
                self.has_forgotten = True

    def find(self, session: Any) -> _Source | None:
        """The source of a session, if it is remembered."""
        return self._sources.get(id(session))

    def forget_ended(self) -> None:
        """Forget the sources of which nothing is presented any more, and their contexts."""
        with self._lock:
            for key, source in list(self._sources.items()):
                if source.mark is not None and source.mark[0].is_over:
                    _spend(self._sources.pop(key))
                    self.has_forgotten = True

    def forget_all(self) -> None:
        """Forget every source, and with it the identity contexts that they hold."""
        with self._lock:
            self.has_forgotten = self.has_forgotten or bool(self._sources)
            for source in self._sources.values():
                _spend(source)
            self._sources.clear()


def _spend(source: _Source) -> None:
    """Leave nothing in a session that nobody could judge any more."""
    caller = source.caller()
    # Without its context no connection takes it.
    if caller is not None and (source.mark is not None or source.context is not caller):
        make_worthless(source.session, source.context, caller)


def _judge(source: _Source | None, caller: ssl.SSLContext, mark: object) -> Verdict:
    if source is None:
        return Verdict.CPYTHON_DECIDES if mark is None else Verdict.FULL_HANDSHAKE
    if source.caller() is not caller:
        return Verdict.OTHER_CONTEXT
    return Verdict.RESUME if source.mark == mark else Verdict.FULL_HANDSHAKE


#: the sources of this process
sources = SessionSources()


def resume(connection: Any, session: Any, caller: ssl.SSLContext, mark: object) -> None:
    """Give a session to a new connection as far as it fits.

    Raises ValueError where CPython does without us: the caller used another context for it.
    """
    source = sources.find(session)
    verdict = _judge(source, caller, mark)
    if verdict is Verdict.OTHER_CONTEXT:
        raise ValueError("Session refers to a different SSLContext.")
    if verdict is Verdict.CPYTHON_DECIDES or not isinstance(session, ssl.SSLSession):
        _let_cpython_decide(connection, session)
    elif source is not None and verdict is Verdict.RESUME:
        _set_session(connection, session, source.context)
    else:
        _logger.debug("a session does not fit the identity of %s", connection.server_hostname)


def _let_cpython_decide(connection: Any, session: Any) -> None:
    try:
        connection.session = session
    except ValueError:
        # It may be a session of an identity's connection, whose source is forgotten.
        if not sources.has_forgotten:
            raise


def _set_session(connection: Any, session: Any, context: ssl.SSLContext) -> None:
    """Set a session that fits, although the connection may be on another context by now."""
    present = connection.context
    connection.context = context
    connection.session = session
    connection.context = present


def _noting_sessions(original: property, switch: Switch) -> property:
    """The ``session`` property of ``SSLSocket`` and ``SSLObject``."""
    take = cast("Callable[[Any], Any]", original.fget)
    give = cast("Callable[[Any, Any], None]", original.fset)

    def session(self: Any) -> Any:
        taken = take(self)
        if switch.on and self._sslobj is not None and not self.server_side:
            sources.note(taken, self.context, _mark_of(self), self._sslobj)
        return taken

    def set_session(self: Any, value: Any) -> None:
        connection = self._sslobj
        if switch.on and _is_open_to_sessions(connection) and isinstance(value, ssl.SSLSession):
            resume(connection, value, self.context, _mark_of(self))
        else:
            give(self, value)

    return property(session, set_session, original.fdel, original.__doc__)


def _is_open_to_sessions(connection: Any) -> bool:
    """Before the handshake of a client; at any other time the error is CPython's to raise."""
    return connection is not None and not connection.server_side and connection.version() is None


def session_patches() -> tuple[Patch, ...]:
    """The patches of the ``session`` properties."""
    build: Build = _noting_sessions
    return tuple(
        Patch(attribute_of("ssl", name), "session", build) for name in ("SSLSocket", "SSLObject")
    )
