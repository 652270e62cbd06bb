"""Connections of httpcore: each says which leg it opens, and what that presents.

Between the moment when a pool makes a connection and the one when it is opened, other settings may
have come into force; what was in force when it was opened counts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Optional

from ..connections import ReuseKey, changes_now, is_certain_since
from ..decisions import dialling, dialling_proxy
from .httpcore_keys import NO_POOL, as_text, find_key, is_to_proxy, name_of
from .patching import Build, Switch, unbound

#: Where a connection keeps the key that it was opened under.
_KEY = "_mxcert_reuse_key"

#: begins to open a connection for a request; ``None`` where there is no leg to state
Opening = Callable[[Any, Any], Optional[AbstractContextManager[None]]]


def build_can_handle_request(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def can_handle_request(self: Any, origin: Any) -> bool:
        if not original(self, origin):
            return False
        asked = getattr(origin, "mxcert_key", NO_POOL)
        return asked is NO_POOL or not switch.on or asked is _key_of(self)

    return can_handle_request


def _key_of(connection: Any) -> object:
    """What a connection presents; nothing where it is older than the hooks."""
    try:
        return getattr(connection, _KEY)
    except AttributeError:  # it is not open yet
        origin = getattr(connection, "_remote_origin", None) or connection._origin
        return getattr(origin, "mxcert_key", None)


def build_has_expired(original: Any, switch: Switch) -> Any:
    """Whether a pool shall close a connection before it looks for one that is free."""
    original = unbound(original)

    @functools.wraps(original)
    def has_expired(self: Any) -> bool:
        if original(self):
            return True
        is_over = getattr(getattr(self, _KEY, None), "is_over", False)
        return switch.on and is_over and bool(self.is_idle())

    return has_expired


@contextmanager
def _opened_under(connection: Any, request: Any, proxy: Any) -> Iterator[None]:
    """Note the key that a connection is opened under.

    Where it is another one before and after, or for another request that waits for the same
    connection, nobody knows which settings it is of, and no further request gets it.
    """
    changes = changes_now()
    _note_key(connection, find_key(request, proxy))
    yield
    key = find_key(request, proxy)
    _note_key(connection, key if is_certain_since(changes) else ReuseKey(is_over=True))


def _note_key(connection: Any, key: ReuseKey | None) -> None:
    known = getattr(connection, _KEY, key)
    setattr(connection, _KEY, key if known is key else ReuseKey(is_over=True))


@contextmanager
def _open_direct(connection: Any, request: Any) -> Iterator[None]:
    """The leg of an ``HTTPConnection``, which may be one to a proxy."""
    dial = dialling_proxy if is_to_proxy(request) else dialling
    origin = connection._origin
    name, attempts = name_of(request, origin.host), connection._retries + 1
    with _opened_under(connection, request, None), dial(name, origin.port, attempts):
        yield


def dial(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with _open_direct(instance, args[0] if args else kwargs["request"]):
        return wrapped(*args, **kwargs)


async def dial_async(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with _open_direct(instance, args[0] if args else kwargs["request"]):
        return await wrapped(*args, **kwargs)


def open_tunnel(connection: Any, request: Any) -> AbstractContextManager[None] | None:
    if connection._connected:
        return None
    return _open_behind(connection, request, as_text(connection._remote_origin.host))


def open_socks(connection: Any, request: Any) -> AbstractContextManager[None] | None:
    if connection._connection is not None:
        return None
    return _open_behind(connection, request, name_of(request, connection._remote_origin.host))


@contextmanager
def _open_behind(connection: Any, request: Any, name: str) -> Iterator[None]:
    proxy, port = connection._proxy_origin, connection._remote_origin.port
    with _opened_under(connection, request, proxy), dialling(name, port):
        yield


def open_forward(connection: Any, request: Any) -> AbstractContextManager[None] | None:
    """The connection inside of it says which leg it is."""
    if connection._connection._connection is not None:
        return None
    return _opened_under(connection, request, connection._proxy_origin)


def opening(begin: Opening) -> Build:
    """Begins to open a connection that is not open yet, before its first request."""

    def build(original: Any, switch: Switch) -> Any:
        original = unbound(original)

        @functools.wraps(original)
        def handle_request(self: Any, request: Any) -> Any:
            dials = begin(self, request) if switch.on else None
            if dials is None:
                return original(self, request)
            with dials:
                return original(self, request)

        return handle_request

    return build


def opening_async(begin: Opening) -> Build:
    def build(original: Any, switch: Switch) -> Any:
        original = unbound(original)

        @functools.wraps(original)
        async def handle_async_request(self: Any, request: Any) -> Any:
            dials = begin(self, request) if switch.on else None
            if dials is None:
                return await original(self, request)
            with dials:
                return await original(self, request)

        return handle_async_request

    return build
