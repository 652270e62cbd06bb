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
from ..patching import Library, Patch, Wrapper, attribute_of, standing_in, wrapping
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
            return getattr(other, "mxcert_key", None) == self.mxcert_key and super().__eq__(other)

    class KeyedURL(httpcore.URL):
        mxcert_origin: httpcore.Origin

        @property
        def origin(self) -> httpcore.Origin:
            return self.mxcert_origin

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


def _find_key(request: Any, proxy_endpoint: tuple[str, int] | None) -> ReuseKey | None:
    if request.url.scheme not in (b"https", b"wss"):
        return reuse_key_of_proxy(proxy_endpoint) if proxy_endpoint else None
    host, port = _endpoint(request.url.origin)
    return reuse_key_now(request.extensions.get("sni_hostname") or host, port, proxy_endpoint)


def _endpoint(origin: Any) -> tuple[str, int]:
    return origin.host.decode("ascii"), origin.port


def _key_request(request: Any, key: ReuseKey | None) -> None:
    """Give the request such a URL, where a connection for it presents anything."""
    if key is None:
        return
    url = request.url
    plain, make = url.origin, _keyed_classes()[0]
    request.url = make(scheme=url.scheme, host=url.host, port=url.port, target=url.target)
    request.url.mxcert_origin = _keyed_origin(plain.scheme, plain.host, plain.port, key)


def _handle_request(original: Any, pool: Any, args: Any, kwargs: Any) -> Any:
    request = args[0] if args else kwargs["request"]
    _key_request(request, _find_key(request, _tls_proxy(pool)))
    try:
        return original(pool, *args, **kwargs)
    except Exception as error:
        # Pools raise "from None", which hides the note of a failed handshake.
        show_cause(error, error.__context__)
        raise


async def _handle_async_request(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    request = args[0] if args else kwargs["request"]
    _key_request(request, _find_key(request, _tls_proxy(instance)))
    try:
        return await wrapped(*args, **kwargs)
    except Exception as error:
        show_cause(error, error.__context__)
        raise


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
_SYNC_POOL = Patch(
    attribute_of("httpcore._sync.connection_pool", "ConnectionPool"),
    "handle_request",
    standing_in(_handle_request),
)
#: module, class, method and what wraps it; a SOCKS proxy's module needs a further package
_POOLS = (
    ("httpcore._sync.connection", "HTTPConnection", "_connect", _dial),
    ("httpcore._sync.http_proxy", "TunnelHTTPConnection", "handle_request", _dial),
    (
        "httpcore._async.connection_pool",
        "AsyncConnectionPool",
        "handle_async_request",
        _handle_async_request,
    ),
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
    return (_SYNC_POOL, *_patches(*_POOLS))


LIBRARIES = (
    Library("httpcore", _pool_patches, "httpcore", ("1.0", "2")),
    _library("httpcore._sync.socks_proxy", _SYNC_SOCKS),
    _library("httpcore._async.socks_proxy", _ASYNC_SOCKS),
)
