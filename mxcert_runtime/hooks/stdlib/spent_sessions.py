"""Makes a session worthless that a program may keep for longer than it is remembered here.

CPython ties a session to the context of its connection, and one that was taken from an identity
context is a ValueError on a connection that the program makes after deactivation, when no hook can
drop it. Tied to the caller's context instead, it would resume what the identity has opened, for
code that has no identity any more. So its content becomes that of a session of the caller's context
that no server knows: every server answers it with a full handshake (RFC 5246, section 7.3; RFC
8446, section 2.2).

Python has no function for this. An ``SSLSession`` is two pointers behind its head, to OpenSSL's
session and to the context (``PySSLSession`` in CPython's ``Modules/_ssl.c``, from 3.6 on). They are
exchanged with those of the other session, as a whole, so that each is still held once. Where they
are not found to be just that, or the interpreter has no lock that makes this one step, the session
stays what it is, and CPython refuses it.
"""

from __future__ import annotations

import ssl
import sys
from typing import Any

from ...contexts import anonymous_connection

_POINTERS = 2


def make_worthless(session: Any, context: ssl.SSLContext, caller: ssl.SSLContext) -> bool:
    """Give a session of ``context`` the content of one of ``caller`` that no server knows.

    Whether it could be done.
    """
    try:
        unknown = _unknown_session(caller)
        return unknown is not None and _exchange(session, context, unknown, caller)
    except Exception:  # no ctypes, an auditor that forbids it, an OpenSSL without such ciphers
        return False


def _unknown_session(caller: ssl.SSLContext) -> Any:
    """A session of the caller's context, of a handshake in memory with nobody."""
    connection = anonymous_connection()
    if connection is None:
        return None
    own = connection.context
    connection.context = caller
    try:
        return connection.session
    finally:
        # It is kept, and must not keep the context.
        connection.context = own


def _exchange(one: Any, its_context: Any, other: Any, other_context: Any) -> bool:
    ours, theirs = _pointers_of(one, its_context), _pointers_of(other, other_context)
    if ours is None or theirs is None:
        return False
    before = list(ours)
    # Each is one step, which no other thread sees half of.
    ours[:] = list(theirs)
    theirs[:] = before
    return True


def _pointers_of(session: Any, context: Any) -> Any:
    """The memory of a session's pointers, if the second leads to its context."""
    import ctypes

    head, size = object.__basicsize__, ctypes.sizeof(ctypes.c_void_p)
    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    fits = type(session).__basicsize__ == head + _POINTERS * size
    if not fits or not has_lock or type(session) is not ssl.SSLSession:
        return None
    pointers = (ctypes.c_void_p * _POINTERS).from_address(id(session) + head)
    return pointers if pointers[0] and pointers[1] == id(context) else None
