"""pyOpenSSL: TLS sessions that an application keeps are resumed under the same identity only.

OpenSSL itself would resume a session on any connection. A session is therefore marked with what
its connection presents, and for which host, and a connection that is decided otherwise makes a full
handshake. At deactivation all that have a mark become worthless.
"""

from __future__ import annotations

import functools
import weakref
from typing import Any

from ..patching import Patch, attribute_of, wrapping

#: Where a connection and a session keep what they were decided; nothing where nothing is presented.
_MARK = "_mxcert_mark"
#: Where a connection keeps the session that it was given, until the handshake.
_SESSION = "_mxcert_session"

#: Connections and sessions with a mark, by their ``id()``: a subclass may not be hashable.
_marked: dict[int, weakref.ref[Any]] = {}


def mark_connection(connection: Any, mark: object) -> None:
    """Note what a connection was decided, and drop a session of another decision from it."""
    _mark(connection, mark)


def mark_later_sessions(connection: Any, mark: object) -> None:
    """Note what a connection was decided in its handshake, which goes on as it has begun."""
    _note(connection, mark)


def unmark_connection(connection: Any) -> None:
    """Note that a connection presents what is the caller's, and drop a session of an identity."""
    _mark(connection, None)


def _note(holder: Any, mark: object) -> None:
    setattr(holder, _MARK, mark)
    if mark is not None:
        # In C from end to end: what a callback of a weak reference raises is lost.
        drop = functools.partial(_marked.pop, id(holder))
        _marked[id(holder)] = weakref.ref(holder, drop)


def forget_all() -> None:
    """Leave nothing of an identity that could be resumed when no hook is there to judge it."""
    for reference in list(_marked.values()):
        holder = reference()
        if holder is not None and getattr(holder, _MARK, None) is not None:
            _make_worthless(holder)
    _marked.clear()


def _make_worthless(holder: Any) -> None:
    from OpenSSL import SSL
    from OpenSSL._util import ffi

    if isinstance(holder, SSL.Session):
        # What no session is given by: a full handshake.
        holder._session = ffi.NULL
    else:
        # As pyOpenSSL answers where there is no session.
        holder.get_session = _no_session


def _no_session() -> None:
    return None


def _mark(connection: Any, mark: object) -> None:
    _note(connection, mark)
    session = connection.__dict__.get(_SESSION)
    if session is not None and not _fits(session, connection):
        _forget_session(connection)


def _fits(session: Any, connection: Any) -> bool:
    mark: object = getattr(session, _MARK, None)
    return bool(mark == connection.__dict__.get(_MARK))


def _forget_session(connection: Any) -> None:
    from OpenSSL._util import ffi, lib

    lib.SSL_set_session(connection._ssl, ffi.NULL)
    setattr(connection, _SESSION, None)


def _get_session(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    session = wrapped(*args, **kwargs)
    if session is not None:
        _note(session, instance.__dict__.get(_MARK))
    return session


def _set_session(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    session = args[0] if args else kwargs["session"]
    setattr(instance, _SESSION, session)
    # Before a connection is decided nothing is known; `mark_connection` judges it then.
    if _MARK in instance.__dict__ and not _fits(session, instance):
        _forget_session(instance)
    return result


def session_patches() -> tuple[Patch, ...]:
    """The patches of what takes and gives sessions."""
    owner = attribute_of("OpenSSL.SSL", "Connection")
    return (
        Patch(owner, "get_session", wrapping(_get_session)),
        Patch(owner, "set_session", wrapping(_set_session)),
    )
