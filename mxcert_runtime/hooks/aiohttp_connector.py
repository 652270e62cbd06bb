"""aiohttp: tells the endpoint of each leg, and keeps connections of decisions apart."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable
from typing import Any

from ..base import ForkSafeLock
from ..connections import (
    ReuseKey,
    changes_now,
    is_certain_since,
    reuse_key_now,
    reuse_key_of_proxy,
)
from ..contexts import default_paths_load
from ..contexts.ledger import ledger
from ..decisions import dialling, dialling_proxy
from .known_versions import KNOWN
from .patching import Library, Patch, Switch, attribute_of, unbound, wrapping

#: the connectors that have made connections
_connectors: weakref.WeakSet[Any] = weakref.WeakSet()
_lock = ForkSafeLock()

#: Where a request keeps the key that its connection was first asked for by.
_ASKED = "_mxcert_asked"


def _build_connection_key(original: property, switch: Switch) -> property:
    """``ClientRequest.connection_key``, by which the connector keeps connections."""
    take: Any = original.fget
    mark = _marking(attribute_of("aiohttp.client_reqrep", "ConnectionKey")())

    def connection_key(self: Any) -> Any:
        plain = take(self)
        if not switch.on:
            return plain
        if plain.is_ssl and plain.proxy is None:
            key = reuse_key_now(*_leg_of(self))
        else:
            key = _key_by_proxy(self, plain.is_ssl, plain.proxy)
        vars(self).setdefault(_ASKED, key)
        return plain if key is None else mark(plain, key)

    return property(connection_key, original.fset, original.fdel, original.__doc__)


def _marking(key_class: Any) -> Callable[[Any, ReuseKey], Any]:
    """Puts our key into a field that is compared and hashed, and nothing else is done with it."""
    if not issubclass(key_class, tuple):  # an attrs class, before aiohttp 3.11
        evolve = attribute_of("attr", "evolve")()
        return lambda plain, key: evolve(plain, proxy_headers_hash=(plain.proxy_headers_hash, key))
    index = key_class._fields.index("proxy_headers_hash")
    make = tuple.__new__

    def mark(plain: Any, key: ReuseKey) -> Any:
        # On the path of each request, hence not `_replace`.
        return make(key_class, (*plain[:index], (plain[index], key), *plain[index + 1 :]))

    return mark


def _key_by_proxy(request: Any, is_ssl: bool, url: Any) -> ReuseKey | None:
    is_tls = url is not None and url.scheme == "https"
    proxy = (url.raw_host, url.port) if is_tls else None
    if is_ssl:
        return reuse_key_now(*_leg_of(request), proxy)
    return reuse_key_of_proxy(proxy) if proxy else None


def _leg_of(request: Any) -> tuple[str, int]:
    host = getattr(request, "server_hostname", None) or request.url.raw_host or ""
    return host.rstrip("."), request.url.port


async def _create_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    request = args[0] if args else kwargs["req"]
    changes, presented = changes_now(), _key_by_proxy(request, request.is_ssl(), request.proxy)
    with _lock:
        _connectors.add(instance)
    protocol = await wrapped(*args, **kwargs)
    # It is kept under the key that was asked for, before the request waited for its turn: where
    # other settings have come into force since, it serves this request alone.
    asked = vars(request).get(_ASKED, presented)
    is_same = asked is presented is _key_by_proxy(request, request.is_ssl(), request.proxy)
    if not is_same or not is_certain_since(changes):
        protocol.force_close()
    return protocol


def _build_release(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def _release(self: Any, key: Any, protocol: Any, *, should_close: bool = False) -> Any:
        # One that was in use when other settings came into force is not kept beside theirs.
        is_over = switch.on and _has_ended(key)
        return original(self, key, protocol, should_close=should_close or is_over)

    return _release


def _retire() -> None:
    """Let each connector close the idle connections of which nothing is presented any more."""
    with _lock:
        connectors = list(_connectors)
    for each in connectors:
        # Where its loop has ended, its connections have too.
        with contextlib.suppress(RuntimeError):
            each._loop.call_soon_threadsafe(_close_ended, each)


def _close_ended(connector: Any) -> None:
    for key in [each for each in connector._conns if _has_ended(each)]:
        for protocol, _ in connector._conns.pop(key):
            protocol.close()


def _has_ended(key: Any) -> bool:
    mark = key.proxy_headers_hash
    return isinstance(mark, tuple) and mark[1].is_over


async def _create_direct_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    # aiohttp tells it by the error that is to be raised.
    is_proxy = getattr(kwargs.get("client_error"), "__name__", "") == "ClientProxyConnectionError"
    dial = dialling_proxy if is_proxy else dialling
    with dial(*_leg_of(args[0] if args else kwargs["req"])):
        return await wrapped(*args, **kwargs)


async def _start_tls_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with dialling(*_leg_of(args[1] if len(args) > 1 else kwargs["req"])):
        return await wrapped(*args, **kwargs)


def _patches() -> tuple[Patch, ...]:
    connector = attribute_of("aiohttp.connector", "TCPConnector")
    request = attribute_of("aiohttp.client_reqrep", "ClientRequest")
    return (
        Patch(request, "connection_key", _build_connection_key),
        Patch(connector, "_create_connection", wrapping(_create_connection)),
        Patch(connector, "_release", _build_release),
        Patch(connector, "_create_direct_connection", wrapping(_create_direct_connection)),
        Patch(connector, "_start_tls_connection", wrapping(_start_tls_connection)),
    )


def _adopt_default_context() -> None:
    """aiohttp makes a context with default trust when it is imported, which may be before us."""
    connector = attribute_of("aiohttp.connector")()
    context = getattr(connector, "_SSL_CONTEXT_VERIFIED", None)
    if context is not None:
        ledger.adopt_default(context, default_paths_load())


LIBRARY = Library(
    module="aiohttp.connector",
    patches=_patches,
    version_module="aiohttp",
    versions=KNOWN["aiohttp"].versions,
    prepare=_adopt_default_context,
    retire=_retire,
)
