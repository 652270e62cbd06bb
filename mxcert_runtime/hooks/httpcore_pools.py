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
        # Found once for each request; the property of the base makes one whenever it is asked.
        origin: Any = None

    return KeyedURL, KeyedOrigin


@functools.lru_cache(maxsize=256)
def _keyed_origin(scheme: bytes, host: bytes, port: int, key: ReuseKey) -> Any:
    origin = _keyed_classes()[1](scheme=scheme, host=host, port=port)
    origin.mxcert_key = key
    return origin


def _tls_proxy(pool: Any) -> tuple[str, int] | None:
    """The endpoint of the pool's proxy, where TLS is spoken to it."""
    proxy = getattr(pool, "_proxy", None)
    # `HTTPProxy`, which httpx uses, keeps the URL alone.
    url = getattr(pool, "_proxy_url", None) if proxy is None else proxy.url
    return _endpoint(url.origin) if url is not None and url.scheme == b"https" else None


def _endpoint(origin: Any) -> tuple[str, int]:
    return origin.host.decode("ascii"), origin.port


def _key_request(pool: Any, request: Any) -> None:
    """Give the request a URL with such an origin, where a connection for it presents anything."""
    url = request.url
    key = _find_key(request, url, _tls_proxy(pool))
    keyed_class = _keyed_classes()[0]
    if key is not None:
        origin = url.origin
        request.url = keyed = _copied(url, keyed_class)
        keyed.origin = _keyed_origin(origin.scheme, origin.host, origin.port, key)
    elif type(url) is keyed_class:
        # A request that is sent once more, from where nothing is presented.
        request.url = _copied(url, keyed_class.__base__)


def _find_key(request: Any, url: Any, proxy: tuple[str, int] | None) -> ReuseKey | None:
    if url.scheme not in (b"https", b"wss"):
        return reuse_key_of_proxy(proxy) if proxy else None
    host = request.extensions.get("sni_hostname") or url.host.decode("ascii")
    return reuse_key_now(host, url.port or 443, proxy)


def _copied(url: Any, url_class: Any) -> Any:
    """A URL with the same parts; that of the caller may serve other requests too."""
    # Not by its `__init__`, which would examine each part again.
    copied = url_class.__new__(url_class)
    copied.scheme, copied.host, copied.port, copied.target = (
        url.scheme,
        url.host,
        url.port,
        url.target,
    )
    return copied


def _build_handle_request(original: Any, switch: Switch) -> Any:
    @functools.wraps(original)
    def handle_request(self: Any, request: Any) -> Any:
        if not switch.on:
            return original(self, request)
        _key_request(self, request)
        try:
            return original(self, request)
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
        _key_request(self, request)
        try:
            return await original(self, request)
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
