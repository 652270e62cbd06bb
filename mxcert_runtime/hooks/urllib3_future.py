"""urllib3-future, under niquests: a fork that may stand in the place of urllib3, or beside it.

Its managers keep pools by what they are for; the decision becomes a part of that. A connection that
was opened under another decision is closed before it is used again, or refused while it is busy.
HTTP/3 has TLS of its own (qh3), which no hook reaches: a connection that may present an identity,
or whose CAs are pinned, stays on TCP.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

from ..connections import KeptConnectionError, ReuseKey, reuse_key_now, reuse_key_of_proxy
from ..decisions import Choice, dialling, in_force
from ..decisions.current_service import current_service
from .known_versions import KNOWN
from .patching import Library, Patch, Switch, attribute_of, unbound, wrapping

#: Where a connection keeps the key that it was opened under.
_KEY = "_mxcert_reuse_key"


def is_future(package: str) -> bool:
    """Whether what is loaded under the name is urllib3-future, by a module that urllib3 lacks."""
    return importlib.util.find_spec(f"{package}.backend") is not None


def _name_of_leg(connection: Any) -> tuple[str, int]:
    host = connection.server_hostname or connection._tunnel_host or connection.host
    return host.rstrip("."), connection._tunnel_port or connection.port


def _tls_proxy(proxy: Any) -> tuple[str, int] | None:
    is_tls = proxy is not None and proxy.scheme == "https"
    return (proxy.host, proxy.port or 443) if is_tls else None


def _key_of(connection: Any) -> ReuseKey | None:
    proxy = _tls_proxy(connection.proxy)
    if proxy is not None and not connection._tunnel_host:
        return reuse_key_of_proxy(proxy)
    return reuse_key_now(*_name_of_leg(connection), proxy)


def _prepare(connection: Any) -> None:
    setattr(connection, _KEY, _key_of(connection))
    generation = in_force.current
    if generation is None:
        return
    decision = generation.policy.select(*_name_of_leg(connection), current_service.get())
    if decision.choice is Choice.NONE and decision.authorities is None:
        return
    package = type(connection).__module__.partition(".")[0]
    http3 = attribute_of(f"{package}.backend", "HttpVersion")().h3
    # Not the very set, which may be that of all connections of the pool.
    connection._disabled_svn = {*connection._disabled_svn, http3}


def _connect(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    _prepare(instance)
    with dialling(*_name_of_leg(instance)):
        return wrapped(*args, **kwargs)


async def _connect_async(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    _prepare(instance)
    with dialling(*_name_of_leg(instance)):
        return await wrapped(*args, **kwargs)


def _is_unfit(connection: Any) -> bool:
    """Whether it is open, and presents what another decision gave it.

    Raises :class:`~.connections.kept.KeptConnectionError` where others use it at the moment.
    """
    if not hasattr(connection, _KEY) or connection.is_closed:
        return False
    if getattr(connection, _KEY) is _key_of(connection):
        return False
    if not connection.is_idle:
        host = _name_of_leg(connection)[0]
        raise KeptConnectionError(host, "other requests are under way on it")
    return True


def _get_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    connection = wrapped(*args, **kwargs)
    if _is_unfit(connection):
        connection.close()
    return connection


async def _get_connection_async(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    connection = await wrapped(*args, **kwargs)
    if _is_unfit(connection):
        await connection.close()
    return connection


def _build_connection_from_pool_key(original: Any, switch: Switch) -> Any:
    """The same for managers of both kinds: a coroutine is only handed on."""
    original = unbound(original)

    @functools.wraps(original)
    def connection_from_pool_key(self: Any, pool_key: Any, request_context: Any) -> Any:
        key = _key_of_pool(self, request_context) if switch.on else None
        return original(self, pool_key if key is None else (pool_key, key), request_context)

    return connection_from_pool_key


def _key_of_pool(manager: Any, context: Any) -> ReuseKey | None:
    proxy = _tls_proxy(getattr(manager, "proxy", None))
    if context["scheme"] != "https":
        return None if proxy is None else reuse_key_of_proxy(proxy)
    host = context.get("server_hostname") or context["host"]
    return reuse_key_now(host.rstrip("."), context["port"] or 443, proxy)


def connection_patches(package: str) -> tuple[Patch, ...]:
    """Those of the fork's connections, under the name that it has."""
    owner = attribute_of(f"{package}.connection", "HTTPSConnection")
    return (Patch(owner, "connect", wrapping(_connect)),)


def pool_patches(package: str) -> tuple[Patch, ...]:
    """Those of its pools."""
    owner = attribute_of(f"{package}.connectionpool", "HTTPSConnectionPool")
    return (Patch(owner, "_get_conn", wrapping(_get_connection)),)


def _manager_patches(package: str) -> tuple[Patch, ...]:
    if not is_future(package):
        return ()
    owner = attribute_of(f"{package}.poolmanager", "PoolManager")
    return (Patch(owner, "connection_from_pool_key", _build_connection_from_pool_key),)


def _async_connection_patches(package: str) -> tuple[Patch, ...]:
    owner = attribute_of(f"{package}._async.connection", "AsyncHTTPSConnection")
    return (Patch(owner, "connect", wrapping(_connect_async)),)


def _async_pool_patches(package: str) -> tuple[Patch, ...]:
    owner = attribute_of(f"{package}._async.connectionpool", "AsyncHTTPSConnectionPool")
    return (Patch(owner, "_get_conn", wrapping(_get_connection_async)),)


def _async_manager_patches(package: str) -> tuple[Patch, ...]:
    owner = attribute_of(f"{package}._async.poolmanager", "AsyncPoolManager")
    return (Patch(owner, "connection_from_pool_key", _build_connection_from_pool_key),)


_ASYNC = {
    "_async.connection": _async_connection_patches,
    "_async.connectionpool": _async_pool_patches,
    "_async.poolmanager": _async_manager_patches,
}


def _libraries(package: str, modules: Any) -> tuple[Library, ...]:
    return tuple(
        Library(
            f"{package}.{name}", functools.partial(make, package), package, KNOWN[package].versions
        )
        for name, make in modules.items()
    )


LIBRARIES = (
    # What is the same in urllib3 is among the hooks of urllib3 itself.
    *_libraries("urllib3", {"poolmanager": _manager_patches, **_ASYNC}),
    *_libraries(
        "urllib3_future",
        {
            "connection": connection_patches,
            "connectionpool": pool_patches,
            "poolmanager": _manager_patches,
            **_ASYNC,
        },
    ),
)
