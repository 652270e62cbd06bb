"""Twisted, and what calls by it (treq, Scrapy): the service and the port of a connection.

The reactor opens a connection in its own time, where the ``with`` of the code that asked for it is
over. What is made while that runs is the client's options for TLS, and the key of the pool.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..connections import ReuseKey, endpoint_of_socket, reuse_key_now
from ..decisions import dialling, peek_leg
from ..decisions.current_service import current_service
from .known_versions import KNOWN
from .patching import Library, Patch, Switch, attribute_of, unbound, wrapping

#: Where options for TLS keep the service that they were made for.
_SERVICE = "_mxcert_service"
#: Where a protocol of TLS that is a client's keeps its service, until its handshake begins.
_CLIENT_OF = "_mxcert_client_of"


def _initialize_options(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    setattr(instance, _SERVICE, current_service.get())
    return wrapped(*args, **kwargs)


def _make_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    # Code that names a service itself, such as one that turns to TLS later, knows better.
    service = current_service.get() or getattr(instance, _SERVICE, None)
    setattr(args[0] if args else kwargs["tlsProtocol"], _CLIENT_OF, (service,))
    if service is None:
        return wrapped(*args, **kwargs)
    with _in_service(service):
        return wrapped(*args, **kwargs)


@contextmanager
def _in_service(service: str | None) -> Iterator[None]:
    entry = current_service.set(service)
    try:
        yield
    finally:
        current_service.reset(entry)


def _begin_handshake(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    client_of = vars(instance).pop(_CLIENT_OF, None)
    if client_of is not None and peek_leg() is None:
        _tell_port(instance, *client_of)
    return wrapped(*args, **kwargs)


def _tell_port(protocol: Any, service: str | None) -> None:
    """Let a client's connection decide anew, now that its transport is known."""
    find = getattr(protocol.transport, "getHandle", None)
    host, port = (None, None) if find is None else endpoint_of_socket(find(), None)
    if host is not None and port is not None:  # else the other end may be a proxy
        with _in_service(service), dialling(host, port):
            protocol.getHandle().set_connect_state()


def _build_get_connection(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def getConnection(self: Any, key: Any, *args: Any, **kwargs: Any) -> Any:
        reuse = _reuse_key(key) if switch.on else None
        return original(self, key if reuse is None else (key, reuse), *args, **kwargs)

    return getConnection


def _reuse_key(key: Any) -> ReuseKey | None:
    """That of the endpoint which an Agent's key names: scheme, host and port come first in it."""
    try:
        scheme, host, port = key[:3]
        if scheme == b"https":
            return reuse_key_now(host.decode("ascii"), port)
    except (AttributeError, TypeError, ValueError):
        pass  # a program's own pool may have keys of its own
    return None


def _option_patches() -> tuple[Patch, ...]:
    owner = attribute_of("twisted.internet._sslverify", "ClientTLSOptions")
    return (
        Patch(owner, "__init__", wrapping(_initialize_options)),
        Patch(owner, "clientConnectionForTLS", wrapping(_make_connection)),
    )


def _protocol_patches() -> tuple[Patch, ...]:
    owner = attribute_of("twisted.protocols.tls", "TLSMemoryBIOProtocol")
    return (Patch(owner, "_checkHandshakeStatus", wrapping(_begin_handshake)),)


def _pool_patches() -> tuple[Patch, ...]:
    owner = attribute_of("twisted.web.client", "HTTPConnectionPool")
    return (Patch(owner, "getConnection", _build_get_connection),)


_VERSIONS = KNOWN["twisted"].versions
LIBRARIES = (
    Library("twisted.internet._sslverify", _option_patches, "twisted", _VERSIONS),
    Library("twisted.protocols.tls", _protocol_patches, "twisted", _VERSIONS),
    Library("twisted.web.client", _pool_patches, "twisted", _VERSIONS),
)
