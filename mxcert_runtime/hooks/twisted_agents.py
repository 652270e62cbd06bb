"""Twisted, and what calls by it (treq, Scrapy): a service holds for the connection it is made for.

The reactor opens a connection in its own time, where the ``with`` of the code that asked for it is
over. What is made while that runs is the client's options for TLS, and the key of the pool.
"""

from __future__ import annotations

import functools
from typing import Any

from ..connections import ReuseKey, reuse_key_now
from ..decisions.current_service import current_service
from .known_versions import KNOWN
from .patching import Library, Patch, Switch, attribute_of, unbound, wrapping

#: Where options for TLS keep the service that they were made for.
_SERVICE = "_mxcert_service"


def _initialize_options(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    setattr(instance, _SERVICE, current_service.get())
    return wrapped(*args, **kwargs)


def _make_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    # Code that names a service itself, such as one that turns to TLS later, knows better.
    service = current_service.get() or getattr(instance, _SERVICE, None)
    if service is None:
        return wrapped(*args, **kwargs)
    entry = current_service.set(service)
    try:
        return wrapped(*args, **kwargs)
    finally:
        current_service.reset(entry)


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


def _pool_patches() -> tuple[Patch, ...]:
    owner = attribute_of("twisted.web.client", "HTTPConnectionPool")
    return (Patch(owner, "getConnection", _build_get_connection),)


_VERSIONS = KNOWN["twisted"].versions
LIBRARIES = (
    Library("twisted.internet._sslverify", _option_patches, "twisted", _VERSIONS),
    Library("twisted.web.client", _pool_patches, "twisted", _VERSIONS),
)
