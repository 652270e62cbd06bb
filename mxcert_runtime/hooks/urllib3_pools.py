"""urllib3 1.26 and 2: tells the endpoint of each leg, and keeps connections of decisions apart.

A pool keys its connections by host and TLS settings; it knows nothing of identities. A connection
that was opened under another decision (before activation, say) is closed, not used. Where the
service of the running code makes the difference, a sibling of the pool serves its requests, so that
services which alternate on one host each keep their warm connections.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import queue
import weakref
from collections.abc import Callable
from typing import Any

from ..base import ForkSafeLock
from ..connections import (
    ReuseKey,
    circumstances_now,
    reuse_key_now,
    reuse_key_of_proxy,
    reuse_key_of_service,
)
from ..decisions import Generation, dialling, dialling_proxy, in_force
from ..decisions.current_service import current_service
from . import urllib3_future
from .known_versions import KNOWN
from .patching import Library, Patch, Switch, attribute_of, unbound, wrapping

#: Where a connection keeps the key that it was opened under, and what that was found from.
_KEY, _CIRCUMSTANCES = "_mxcert_reuse_key", "_mxcert_circumstances"
#: Where a pool keeps its siblings, by key.
_SIBLINGS = "_mxcert_siblings"
#: Where a sibling keeps its key, and a weak reference to the pool that it is a sibling of.
_OWN_KEY, _ORIGINAL = "_mxcert_own_key", "_mxcert_original"
#: Where it keeps a weak reference to the settings under which it was last asked for.
_GENERATION = "_mxcert_generation"

_lock = ForkSafeLock()
#: the pools that have made connections
_pools: weakref.WeakSet[Any] = weakref.WeakSet()
_service_now = current_service.get


def _name_of_leg(connection: Any) -> tuple[str, int]:
    """The endpoint behind all proxies, by the name that TLS verifies."""
    host = connection.server_hostname or connection._tunnel_host or connection.host
    return host.rstrip("."), connection._tunnel_port or connection.port


def _is_forwarded(connection: Any) -> bool:
    """Whether the proxy is what TLS is spoken to, and forwards (`http://` by way of `https://`)."""
    return connection.proxy is not None and not connection._tunnel_host


def _tls_proxy(proxy: Any) -> tuple[str, int] | None:
    """The endpoint of a proxy, from its URL, where TLS is spoken to it."""
    is_tls = proxy is not None and proxy.scheme == "https"
    return (proxy.host, proxy.port or 443) if is_tls else None


def _key_of(connection: Any) -> ReuseKey | None:
    if _is_forwarded(connection):
        return reuse_key_of_proxy((connection.host, connection.port))
    return reuse_key_now(*_name_of_leg(connection), _tls_proxy(connection.proxy))


def _connect(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    setattr(instance, _CIRCUMSTANCES, circumstances_now())
    setattr(instance, _KEY, _key_of(instance))
    # Not every urllib3 opens that leg in `_connect_tls_proxy`.
    dial = dialling_proxy if _is_forwarded(instance) else dialling
    with dial(*_name_of_leg(instance)):
        result = wrapped(*args, **kwargs)
    if getattr(instance, _CIRCUMSTANCES) != circumstances_now():
        # Other settings have come into force meanwhile, and nobody knows which ones it is of.
        setattr(instance, _KEY, ReuseKey(is_over=True))
    return result


def _connect_tls_proxy(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with dialling_proxy(instance.host, instance.port):
        return wrapped(*args, **kwargs)


def _build_get_conn(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def _get_conn(self: Any, *args: Any, **kwargs: Any) -> Any:
        connection = original(self, *args, **kwargs)
        if getattr(connection, _CIRCUMSTANCES, None) == circumstances_now():
            return connection
        return _replace_unfit(self, connection) if switch.on else connection

    return _get_conn


def _replace_unfit(pool: Any, connection: Any) -> Any:
    """The connection, or a new one where it was opened under what does not hold any more."""
    if getattr(connection, "sock", None) is None:
        with _lock:
            _pools.add(pool)
        return connection
    if _key_of(connection) is getattr(connection, _KEY, None):
        return connection
    connection.close()
    return pool._new_conn()


def _retire() -> None:
    """Close the idle connections of which nothing is presented any more; the pools dial anew."""
    with _lock:
        pools = list(_pools)
    for pool in pools:
        for connection in _take_ended(pool.pool):
            connection.close()


def _take_ended(kept: Any) -> list[Any]:
    """The connections that have ended, out of a pool's queue: each leaves the place that it had."""
    # gevent's queue has no lock; what it keeps is closed before its next use.
    mutex = getattr(kept, "mutex", None)
    if mutex is None:
        return []
    with mutex:
        ended = {
            place: connection
            for place, connection in enumerate(kept.queue)
            if getattr(getattr(connection, _KEY, None), "is_over", False)
        }
        for place in ended:
            kept.queue[place] = None
    return list(ended.values())


def _build_urlopen(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def urlopen(self: Any, *args: Any, **kwargs: Any) -> Any:
        pool = self
        # Without a service only a sibling, which serves one, is the wrong pool.
        if switch.on and (_service_now() is not None or _OWN_KEY in self.__dict__):
            pool = _pool_for_service(self, args[1] if len(args) > 1 else kwargs.get("url"))
        # Not `pool.urlopen`: a subclass that has one of its own is in it already.
        return original(pool, *args, **kwargs)

    return urlopen


def _pool_for_service(pool: Any, url: Any) -> Any:
    key = None if _will_be_forwarded(pool, url) else _key_of_service(pool)
    if key == getattr(pool, _OWN_KEY, None):
        return pool
    sibling = _sibling(pool, key)
    return pool if sibling is None else sibling


def _will_be_forwarded(pool: Any, url: Any) -> bool:
    """Whether a request to the URL ends at the pool's proxy, as far as TLS is concerned."""
    if pool.proxy is None:
        return False
    from urllib3.util.proxy import connection_requires_http_tunnel
    from urllib3.util.url import parse_url

    scheme = parse_url(url).scheme
    return not connection_requires_http_tunnel(pool.proxy, pool.proxy_config, scheme)


def _key_of_service(pool: Any) -> tuple[ReuseKey | None] | None:
    """The key where the service of the running code makes it another one, in a tuple."""
    host = pool.conn_kw.get("server_hostname") or pool.host
    return reuse_key_of_service(host.rstrip("."), pool.port, _tls_proxy(pool.proxy))


def _sibling(pool: Any, key: tuple[ReuseKey | None] | None) -> Any:
    """The pool like this one for the key; without a key, the one that they all are siblings of."""
    original = getattr(pool, _ORIGINAL, lambda: pool)()
    if key is None or original is None or original.pool is None:
        return original  # a pool that is closed says so itself
    with _lock:
        siblings = vars(original).setdefault(_SIBLINGS, {})
        if key not in siblings:
            _drop_outdated(siblings)
            siblings[key] = _make_sibling(original, key)
        _share_settings(original, siblings[key])
        return siblings[key]


def _drop_outdated(siblings: dict[Any, Any]) -> None:
    """Let go of those that nobody has asked for since other settings came into force.

    Not by `close`: a thread may be using one. Without us, it goes with its connections.
    """
    for key, sibling in list(siblings.items()):
        if getattr(sibling, _GENERATION)() is not in_force.current:
            del siblings[key]


def _make_sibling(original: Any, key: Any) -> Any:
    # As `HTTPConnectionPool.__init__` does, with a queue of its own.
    sibling = copy.copy(original)
    size = original.pool.maxsize
    sibling.pool = original.QueueCls(size)
    for _ in range(size):
        sibling.pool.put(None)
    sibling.num_connections = sibling.num_requests = 0
    vars(sibling).pop(_SIBLINGS)
    vars(sibling).update({_OWN_KEY: key, _ORIGINAL: weakref.ref(original)})
    weakref.finalize(sibling, _close_connections, sibling.pool)
    return sibling


def _share_settings(original: Any, sibling: Any) -> None:
    """Give a sibling what is set on the pool by now; above all how servers are verified."""
    own = ("pool", "num_connections", "num_requests", _OWN_KEY, _ORIGINAL, _SIBLINGS)
    vars(sibling).update({n: value for n, value in vars(original).items() if n not in own})
    setattr(sibling, _GENERATION, _reference(in_force.current))


def _reference(generation: Generation | None) -> Callable[[], Generation | None]:
    return weakref.ref(generation) if generation is not None else lambda: None


def _close_connections(kept: Any) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            connection = kept.get(block=False)
            if connection is not None:
                connection.close()


def _close(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    for sibling in vars(instance).pop(_SIBLINGS, {}).values():
        sibling.close()
    return wrapped(*args, **kwargs)


def _connection_patches() -> tuple[Patch, ...]:
    if urllib3_future.is_future("urllib3"):
        return urllib3_future.connection_patches("urllib3")
    owner = attribute_of("urllib3.connection", "HTTPSConnection")
    return (
        Patch(owner, "connect", wrapping(_connect)),
        Patch(owner, "_connect_tls_proxy", wrapping(_connect_tls_proxy)),
    )


def _pool_patches() -> tuple[Patch, ...]:
    if urllib3_future.is_future("urllib3"):
        return urllib3_future.pool_patches("urllib3")
    owner = attribute_of("urllib3.connectionpool", "HTTPSConnectionPool")
    return (
        Patch(owner, "_get_conn", _build_get_conn),
        Patch(owner, "urlopen", _build_urlopen),
        Patch(owner, "close", wrapping(_close)),
    )


_VERSIONS = KNOWN["urllib3"].versions

LIBRARIES = (
    Library("urllib3.connection", _connection_patches, "urllib3", _VERSIONS),
    Library("urllib3.connectionpool", _pool_patches, "urllib3", _VERSIONS, retire=_retire),
)
