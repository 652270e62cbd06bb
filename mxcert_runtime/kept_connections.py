"""When a kept connection may be used again: only under a decision that presents the same.

Pools of clients know hosts and TLS settings, and nothing of identities, services and generations.
"""

from __future__ import annotations

from . import runtime
from .scope import current_service

#: See :attr:`~.policy.Decision.reuse_key`; with it the extra authorities that may have counted.
ReuseKey = tuple[object, ...]

#: Endpoints whose key is remembered; past the limit they are begun anew.
_KEYS_LIMIT = 4096


def circumstances_now() -> tuple[object, str | None]:
    """What the key of one endpoint depends on: the generation, and the service of the code."""
    return runtime.current, current_service.get()


def reuse_key_now(host: str, port: int, proxy: tuple[str, int] | None = None) -> ReuseKey | None:
    """The key for a connection to the endpoint, for the service that the running code names.

    ``proxy`` is the endpoint of a proxy to which TLS is spoken: that leg has a decision of its own.
    """
    return _joined(_key(host, port, current_service.get()), proxy)


def reuse_key_of_service(
    host: str, port: int, proxy: tuple[str, int] | None = None
) -> tuple[ReuseKey | None] | None:
    """The same in a tuple, where the service that the running code names makes a difference."""
    service = current_service.get()
    if service is None:
        return None
    key = _joined(_key(host, port, service), proxy)
    return None if key == _joined(_key(host, port, None), proxy) else (key,)


def reuse_key_of_proxy(proxy: tuple[str, int]) -> ReuseKey | None:
    """The key for a connection on which only the leg to the proxy has TLS."""
    return _joined(None, proxy)


def _joined(key: ReuseKey | None, proxy: tuple[str, int] | None) -> ReuseKey | None:
    proxy_key = None if proxy is None else _key(*proxy, None)
    return key if proxy_key is None else (key, proxy_key)


def _key(host: str, port: int, service: str | None) -> ReuseKey | None:
    generation = runtime.current
    if generation is None:
        return None
    question = host, port, service
    try:
        return generation.reuse_keys[question]
    except KeyError:
        key = _find_key(generation, *question)
    if len(generation.reuse_keys) >= _KEYS_LIMIT:
        generation.reuse_keys.clear()
    generation.reuse_keys[question] = key
    return key


def _find_key(
    generation: runtime.Generation, host: str, port: int, service: str | None
) -> ReuseKey | None:
    decided = generation.policy.select(host.strip("[]"), port, service).reuse_key
    extra = generation.extra_authorities
    if decided is None and extra is None:
        return None
    return decided, extra and extra.digest
