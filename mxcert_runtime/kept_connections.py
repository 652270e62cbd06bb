"""When a kept connection may be used again: only under a decision that presents the same.

Pools of clients know hosts and TLS settings, and nothing of identities, services and generations.
"""

from __future__ import annotations

from . import runtime
from .scope import current_service

#: See :attr:`~.policy.Decision.reuse_key`; with it the extra authorities that may have counted.
ReuseKey = tuple[object, ...]


def reuse_key_now(host: str, port: int) -> ReuseKey | None:
    """The key for a connection to the endpoint, for the service that the running code names."""
    return _key(host, port, current_service.get())


def reuse_key_without_service(host: str, port: int) -> ReuseKey | None:
    """The key for a connection to the endpoint, for code that names no service."""
    return _key(host, port, None)


def _key(host: str, port: int, service: str | None) -> ReuseKey | None:
    generation = runtime.current
    if generation is None:
        return None
    decided = generation.policy.select(host.strip("[]"), port, service).reuse_key
    extra = generation.extra_authorities
    if decided is None and extra is None:
        return None
    return decided, extra and extra.digest
