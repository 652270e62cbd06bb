"""httpcore, under httpx: tells the endpoint of each leg, and keeps connections of decisions apart.

A pool of httpcore compares the origin of a request with that of its connections, in whatever task
it happens to do so. The origin of a request therefore carries what it was decided in its own task.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from ..diagnosis import show_cause
from .httpcore_connections import (
    build_can_handle_request,
    build_has_expired,
    dial,
    dial_async,
    open_forward,
    open_socks,
    open_tunnel,
    opening,
    opening_async,
)
from .httpcore_keys import keyed_request
from .known_versions import KNOWN
from .patching import Build, Library, Patch, Switch, attribute_of, unbound, wrapping

_Row = tuple[str, str, str, Build]


def _proxy_origin(pool: Any) -> Any:
    """The origin of the pool's proxy, if it has one."""
    proxy = getattr(pool, "_proxy", None)
    # `HTTPProxy` and `SOCKSProxy` keep the URL alone.
    url = getattr(pool, "_proxy_url", None) if proxy is None else proxy.url
    return None if url is None else url.origin


def _build_handle_request(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def handle_request(self: Any, request: Any) -> Any:
        if not switch.on:
            return original(self, request)
        handled = sys.exc_info()[1]
        try:
            return original(self, keyed_request(request, _proxy_origin(self)))
        except Exception as error:
            # Pools raise "from None", which hides the note of a failed handshake.
            show_cause(error, error.__context__, handled)
            raise

    return handle_request


def _build_handle_async_request(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    async def handle_async_request(self: Any, request: Any) -> Any:
        if not switch.on:
            return await original(self, request)
        handled = sys.exc_info()[1]
        try:
            return await original(self, keyed_request(request, _proxy_origin(self)))
        except Exception as error:
            show_cause(error, error.__context__, handled)
            raise

    return handle_async_request


_CAN_HANDLE = "can_handle_request", build_can_handle_request
_HAS_EXPIRED = "has_expired", build_has_expired
#: module, class, method, and what makes the replacement
_POOLS: tuple[_Row, ...] = (
    ("_sync.connection_pool", "ConnectionPool", "handle_request", _build_handle_request),
    (
        "_async.connection_pool",
        "AsyncConnectionPool",
        "handle_async_request",
        _build_handle_async_request,
    ),
)
_SYNC: tuple[_Row, ...] = (
    ("_sync.connection", "HTTPConnection", "_connect", wrapping(dial)),
    ("_sync.connection", "HTTPConnection", *_CAN_HANDLE),
    ("_sync.connection", "HTTPConnection", *_HAS_EXPIRED),
    ("_sync.http_proxy", "TunnelHTTPConnection", "handle_request", opening(open_tunnel)),
    ("_sync.http_proxy", "TunnelHTTPConnection", *_CAN_HANDLE),
    ("_sync.http_proxy", "TunnelHTTPConnection", *_HAS_EXPIRED),
    ("_sync.http_proxy", "ForwardHTTPConnection", "handle_request", opening(open_forward)),
    ("_sync.http_proxy", "ForwardHTTPConnection", *_CAN_HANDLE),
    ("_sync.http_proxy", "ForwardHTTPConnection", *_HAS_EXPIRED),
)
_SYNC_SOCKS: tuple[_Row, ...] = (
    ("_sync.socks_proxy", "Socks5Connection", "handle_request", opening(open_socks)),
    ("_sync.socks_proxy", "Socks5Connection", *_CAN_HANDLE),
    ("_sync.socks_proxy", "Socks5Connection", *_HAS_EXPIRED),
)
_HANDLE_ASYNC = "handle_async_request"
_ASYNC: tuple[_Row, ...] = (
    ("_async.connection", "AsyncHTTPConnection", "_connect", wrapping(dial_async)),
    ("_async.connection", "AsyncHTTPConnection", *_CAN_HANDLE),
    ("_async.connection", "AsyncHTTPConnection", *_HAS_EXPIRED),
    ("_async.http_proxy", "AsyncTunnelHTTPConnection", _HANDLE_ASYNC, opening_async(open_tunnel)),
    ("_async.http_proxy", "AsyncTunnelHTTPConnection", *_CAN_HANDLE),
    ("_async.http_proxy", "AsyncTunnelHTTPConnection", *_HAS_EXPIRED),
    ("_async.http_proxy", "AsyncForwardHTTPConnection", _HANDLE_ASYNC, opening_async(open_forward)),
    ("_async.http_proxy", "AsyncForwardHTTPConnection", *_CAN_HANDLE),
    ("_async.http_proxy", "AsyncForwardHTTPConnection", *_HAS_EXPIRED),
)
_ASYNC_SOCKS: tuple[_Row, ...] = (
    ("_async.socks_proxy", "AsyncSocks5Connection", _HANDLE_ASYNC, opening_async(open_socks)),
    ("_async.socks_proxy", "AsyncSocks5Connection", *_CAN_HANDLE),
    ("_async.socks_proxy", "AsyncSocks5Connection", *_HAS_EXPIRED),
)


def _patches(*rows: _Row) -> tuple[Patch, ...]:
    return tuple(
        Patch(attribute_of(f"httpcore.{module}", owner), name, build)
        for module, owner, name, build in rows
    )


def _library(module: str, *rows: _Row) -> Library:
    return Library(
        module=module,
        patches=functools.partial(_patches, *rows),
        version_module="httpcore",
        versions=KNOWN["httpcore"].versions,
    )


LIBRARIES = (
    _library("httpcore", *_POOLS, *_SYNC, *_ASYNC),
    # A SOCKS proxy's module needs a further package.
    _library("httpcore._sync.socks_proxy", *_SYNC_SOCKS),
    _library("httpcore._async.socks_proxy", *_ASYNC_SOCKS),
)
