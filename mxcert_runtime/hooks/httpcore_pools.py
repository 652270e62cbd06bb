"""httpcore, under httpx: tells the endpoint of each leg, and keeps connections of decisions apart.

A pool of httpcore compares the origin of a request with that of its connections, in whatever task
it happens to do so. The origin of a request therefore carries what it was decided in its own task.
"""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any

from ..failure_report import show_cause
from ..kept_connections import ReuseKey, reuse_key_now, reuse_key_of_proxy
from ..patching import Library, Patch, Switch, Wrapper, attribute_of, wrapping
from ..scope import dialling, dialling_proxy, peek_leg


@functools.lru_cache(maxsize=1)
def _keyed_classes() -> tuple[Any, Any]:
    """URLs whose origin carries a key, and origins that equal only those that carry the same."""
    import httpcore

    class KeyedOrigin(httpcore.Origin):
        mxcert_key: object = None

        def __eq__(self, other: object) -> bool:
            if other is self:
                return True
            return getattr(other, "mxcert_key", None) is self.mxcert_key and super().__eq__(other)

    class KeyedURL(httpcore.URL):
        # Given to each; the property of the base makes one whenever it is asked.
        origin: Any = None

    return KeyedURL, KeyedOrigin


@functools.lru_cache(maxsize=256)
def _keyed_origin(scheme: bytes, host: bytes, port: int | None, key: ReuseKey) -> Any:
    import httpcore

    # It knows the port of a scheme where the URL has none.
    plain = httpcore.URL(scheme=scheme, host=host, port=port).origin
    origin = _keyed_classes()[1](scheme=plain.scheme, host=plain.host, port=plain.port)
    origin.mxcert_key = key
    return origin


def _proxy_url(pool: Any) -> Any:
    """The URL of the pool's proxy, if it has one."""
    proxy = getattr(pool, "_proxy", None)
    # `HTTPProxy`, which httpx uses, keeps the URL alone.
    return getattr(pool, "_proxy_url", None) if proxy is None else proxy.url


def _endpoint(origin: Any) -> tuple[str, int]:
    return origin.host.decode("ascii"), origin.port


def _keyed(pool: Any, request: Any) -> Any:
    """The request with such an origin, where a connection for it presents anything.

    It is another request: the pool asks for the origin when it has a place, and meanwhile the
    caller may send its own once more, from elsewhere.
    """
    key = _find_key(request, _proxy_url(pool))
    if key is None:
        return request
    url = request.url
    keyed = _copied(request, type(request))
    keyed.url = _copied(url, _keyed_classes()[0])
    keyed.url.origin = _keyed_origin(url.scheme, url.host, url.port, key)
    return keyed


def _copied(original: Any, its_class: Any) -> Any:
    # Not by its `__init__`, which would examine each part again, nor by `copy`, which takes longer.
    copied = object.__new__(its_class)
    vars(copied).update(vars(original))
    return copied


def _find_key(request: Any, proxy: Any) -> ReuseKey | None:
    """The key of a request that goes through the proxy with this URL, if there is one."""
    url = request.url
    leg = _endpoint(proxy.origin) if proxy is not None and proxy.scheme == b"https" else None
    if url.scheme in (b"https", b"wss"):
        return reuse_key_now(_server_name(request, proxy), url.port or 443, leg)
    # Any other scheme httpcore refuses in its own words.
    return reuse_key_of_proxy(leg) if leg and url.scheme in (b"http", b"ws") else None


def _server_name(request: Any, proxy: Any) -> str:
    name = request.extensions.get("sni_hostname")
    # Through the tunnel of an HTTP proxy it does not count: httpcore names the host.
    if not name or (proxy is not None and proxy.scheme in (b"http", b"https")):
        name = request.url.host
    return name.decode("ascii") if isinstance(name, bytes) else str(name)


def _build_handle_request(original: Any, switch: Switch) -> Any:
    @functools.wraps(original)
    def handle_request(self: Any, request: Any) -> Any:
        if not switch.on:
            return original(self, request)
        try:
            return original(self, _keyed(self, request))
        except Exception as error:
            # Pools raise "from None", which hides the note of a failed handshake.
            show_cause(error, error.__context__)
            raise

    return handle_request


def _build_handle_async_request(original: Any, switch: Switch) -> Any:
    @functools.wraps(original)
    async def handle_async_request(self: Any, request: Any) -> Any:
        if not switch.on:
            return await original(self, request)
        try:
            return await original(self, _keyed(self, request))
        except Exception as error:
            show_cause(error, error.__context__)
            raise

    return handle_async_request


def _leg_of(connection: Any) -> tuple[str, int]:
    return _endpoint(getattr(connection, "_remote_origin", None) or connection._origin)


def _dialling_for(connection: Any) -> AbstractContextManager[None]:
    # A leg inside of another one that is still to be opened leads to a proxy.
    return (dialling if peek_leg() is None else dialling_proxy)(*_leg_of(connection))


def _dial(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with _dialling_for(instance):
        return wrapped(*args, **kwargs)


async def _dial_async(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with _dialling_for(instance):
        return await wrapped(*args, **kwargs)


#: on the path of each request
_POOLS = (
    Patch(
        attribute_of("httpcore._sync.connection_pool", "ConnectionPool"),
        "handle_request",
        _build_handle_request,
    ),
    Patch(
        attribute_of("httpcore._async.connection_pool", "AsyncConnectionPool"),
        "handle_async_request",
        _build_handle_async_request,
    ),
)
#: module, class, method and what wraps it; a SOCKS proxy's module needs a further package
_CONNECTIONS = (
    ("httpcore._sync.connection", "HTTPConnection", "_connect", _dial),
    ("httpcore._sync.http_proxy", "TunnelHTTPConnection", "handle_request", _dial),
    ("httpcore._async.connection", "AsyncHTTPConnection", "_connect", _dial_async),
    (
        "httpcore._async.http_proxy",
        "AsyncTunnelHTTPConnection",
        "handle_async_request",
        _dial_async,
    ),
)
_SYNC_SOCKS = ("httpcore._sync.socks_proxy", "Socks5Connection", "handle_request", _dial)
_ASYNC_SOCKS = (
    "httpcore._async.socks_proxy",
    "AsyncSocks5Connection",
    "handle_async_request",
    _dial_async,
)


def _patches(*rows: tuple[str, str, str, Wrapper]) -> tuple[Patch, ...]:
    return tuple(
        Patch(attribute_of(module, owner), name, wrapping(wrapper))
        for module, owner, name, wrapper in rows
    )


def _library(module: str, *rows: tuple[str, str, str, Wrapper]) -> Library:
    return Library(module, functools.partial(_patches, *rows), "httpcore", ("1.0", "2"))


def _pool_patches() -> tuple[Patch, ...]:
    return (*_POOLS, *_patches(*_CONNECTIONS))


LIBRARIES = (
    Library("httpcore", _pool_patches, "httpcore", ("1.0", "2")),
    _library("httpcore._sync.socks_proxy", _SYNC_SOCKS),
    _library("httpcore._async.socks_proxy", _ASYNC_SOCKS),
)
