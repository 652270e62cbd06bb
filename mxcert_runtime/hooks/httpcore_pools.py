"""httpcore, under httpx: tells the endpoint of each leg, and keeps connections of decisions apart.

A pool of httpcore compares the origin of a request with that of its connections, in whatever task
it happens to do so. The origin of a request therefore carries what it was decided in its own task.
"""

from __future__ import annotations

import functools
from typing import Any

from ..kept_connections import reuse_key_now
from ..patching import Library, Patch, Wrapper, attribute_of, wrapping
from ..scope import dialling


@functools.lru_cache(maxsize=1)
def _url_class() -> Any:
    """URLs whose origin carries a key, and equals only origins that carry the same one."""
    import httpcore

    class KeyedOrigin(httpcore.Origin):
        mxcert_key: object = None

        def __eq__(self, other: object) -> bool:
            return getattr(other, "mxcert_key", None) == self.mxcert_key and super().__eq__(other)

    class KeyedURL(httpcore.URL):
        mxcert_key: object = None

        @property
        def origin(self) -> httpcore.Origin:
            plain = super().origin
            keyed = KeyedOrigin(scheme=plain.scheme, host=plain.host, port=plain.port)
            keyed.mxcert_key = self.mxcert_key
            return keyed

    return KeyedURL


def _key_request(request: Any) -> None:
    """Give the request such a URL, where a connection for it presents anything."""
    url = request.url
    if url.scheme not in (b"https", b"wss"):
        return
    host = request.extensions.get("sni_hostname") or url.origin.host.decode("ascii")
    key = reuse_key_now(host, url.origin.port)
    if key is not None:
        keyed = _url_class()(scheme=url.scheme, host=url.host, port=url.port, target=url.target)
        keyed.mxcert_key = key
        request.url = keyed


def _handle_request(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    _key_request(args[0] if args else kwargs["request"])
    return wrapped(*args, **kwargs)


def _leg_of(connection: Any) -> tuple[str, int]:
    origin = getattr(connection, "_remote_origin", None) or connection._origin
    return origin.host.decode("ascii"), origin.port


def _dial(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with dialling(*_leg_of(instance)):
        return wrapped(*args, **kwargs)


async def _dial_async(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with dialling(*_leg_of(instance)):
        return await wrapped(*args, **kwargs)


#: module, class, method and what wraps it; a SOCKS proxy's module needs a further package
_POOLS = (
    ("httpcore._sync.connection_pool", "ConnectionPool", "handle_request", _handle_request),
    ("httpcore._sync.connection", "HTTPConnection", "_connect", _dial),
    ("httpcore._sync.http_proxy", "TunnelHTTPConnection", "handle_request", _dial),
    (
        "httpcore._async.connection_pool",
        "AsyncConnectionPool",
        "handle_async_request",
        _handle_request,
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


LIBRARIES = (
    _library("httpcore", *_POOLS),
    _library("httpcore._sync.socks_proxy", _SYNC_SOCKS),
    _library("httpcore._async.socks_proxy", _ASYNC_SOCKS),
)
