"""``http.client``: tells the endpoint of a connection, which a tunnel hides from its socket."""

from __future__ import annotations

from typing import Any

from ..patching import Library, Patch, attribute_of, wrapping
from ..scope import dialling


def _connect(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    host = instance._tunnel_host or instance.host
    port = instance._tunnel_port or instance.port
    with dialling(host, port):
        return wrapped(*args, **kwargs)


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("http.client", "HTTPSConnection")
    return (Patch(owner, "connect", wrapping(_connect)),)


LIBRARY = Library("http.client", _patches)
