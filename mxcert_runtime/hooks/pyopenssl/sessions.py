"""pyOpenSSL: TLS sessions that an application keeps are resumed under the same identity only.

OpenSSL itself would resume a session on any connection. A session is therefore marked with what
its connection was decided, for which host and in which generation, and a connection that is
decided otherwise makes a full handshake.
"""

from __future__ import annotations

from typing import Any

from ...base.hosts import Host
from ...decisions.policy import Decision
from ..patching import Patch, attribute_of, wrapping

#: Where a connection and a session keep what they were decided; nothing where nothing is presented.
_MARK = "_mxcert_mark"
#: Where a connection keeps the session that it was given, until the handshake.
_SESSION = "_mxcert_session"


def mark_connection(
    connection: Any, generation: object, host: Host | None, decision: Decision
) -> None:
    """Note what a connection was decided, and drop a session of another decision from it."""
    _mark(connection, _mark_of(generation, host, decision))


def mark_later_sessions(
    connection: Any, generation: object, host: Host | None, decision: Decision
) -> None:
    """Note what a connection was decided in its handshake, which goes on as it has begun."""
    setattr(connection, _MARK, _mark_of(generation, host, decision))


def _mark_of(generation: object, host: Host | None, decision: Decision) -> object:
    key = decision.reuse_key
    return None if key is None else (generation, host, key)


def unmark_connection(connection: Any) -> None:
    """Note that a connection presents what is the caller's, and drop a session of an identity."""
    _mark(connection, None)


def _mark(connection: Any, mark: object) -> None:
    setattr(connection, _MARK, mark)
    session = getattr(connection, _SESSION, None)
    if session is not None and not _fits(session, connection):
        _forget_session(connection)


def _fits(session: Any, connection: Any) -> bool:
    mark: object = getattr(session, _MARK, None)
    return bool(mark == getattr(connection, _MARK, None))


def _forget_session(connection: Any) -> None:
    from OpenSSL._util import ffi, lib

    lib.SSL_set_session(connection._ssl, ffi.NULL)
    setattr(connection, _SESSION, None)


def _get_session(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    session = wrapped(*args, **kwargs)
    if session is not None:
        setattr(session, _MARK, getattr(instance, _MARK, None))
    return session


def _set_session(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    session = args[0] if args else kwargs["session"]
    setattr(instance, _SESSION, session)
    # Before a connection is decided nothing is known; `mark_connection` judges it then.
    if hasattr(instance, _MARK) and not _fits(session, instance):
        _forget_session(instance)
    return result


def session_patches() -> tuple[Patch, ...]:
    """The patches of what takes and gives sessions."""
    owner = attribute_of("OpenSSL.SSL", "Connection")
    return (
        Patch(owner, "get_session", wrapping(_get_session)),
        Patch(owner, "set_session", wrapping(_set_session)),
    )
