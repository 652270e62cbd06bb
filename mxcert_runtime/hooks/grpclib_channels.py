"""grpclib: a call goes out on a connection that presents what the running code is to present.

A channel keeps one connection. The hook keeps one beside it for each decision that differs, so that
calls of several services share a channel without closing it under each other.
"""

from __future__ import annotations

from typing import Any

from ..connections import ReuseKey, reuse_key_now
from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping

#: Where a channel keeps its connections by key, and the key of the one that it has now.
_BY_KEY, _KEY = "_mxcert_by_key", "_mxcert_key"


async def _connect(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """``Channel.__connect__``, which uses the connection that the channel has, or makes it."""
    if instance._ssl is None:
        return await wrapped(*args, **kwargs)
    key = _key_of(instance)
    known: dict[ReuseKey | None, Any] = vars(instance).setdefault(_BY_KEY, {})
    protocol = known.get(key)
    if protocol is not None and not protocol.handler.connection_lost:
        return protocol
    # Whoever waits for the lock makes a connection of its own key.
    async with instance._connect_lock:
        protocol = known[key] = await instance._create_connection()
        instance._protocol = protocol
    return protocol


def _key_of(channel: Any) -> ReuseKey | None:
    host = channel._config.ssl_target_name_override or channel._host
    return reuse_key_now(host, channel._port)


def _close(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    for protocol in vars(instance).pop(_BY_KEY, {}).values():
        if protocol is not instance._protocol:
            protocol.processor.close()
    return wrapped(*args, **kwargs)


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("grpclib.client", "Channel")
    return (
        Patch(owner, "__connect__", wrapping(_connect)),
        Patch(owner, "close", wrapping(_close)),
    )


LIBRARY = Library("grpclib.client", _patches, "grpclib", KNOWN["grpclib"].versions)
