"""When a kept connection may be used again: only under a decision that presents the same.

Pools of clients know hosts and TLS settings, and nothing of identities, services and generations.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from ..base.locks import ForkSafeLock
from ..decisions import in_force
from ..decisions.derived import Derived
from ..decisions.generation import Generation
from ..decisions.scope import current_service

_service_now = current_service.get


class ReuseKey:
    """What connections present; the same object for the same, so pools compare it at no cost."""

    __slots__ = ("__weakref__",)

    def __reduce__(self) -> tuple[object, ...]:
        # aiohttp puts it into its errors, which programs pickle; it means nothing elsewhere.
        return bool, ()


#: What a key stands for, see :attr:`~.decisions.policy.Decision.reuse_key`; the extra authorities
#: that may have counted; or the keys of two legs. Only who keeps connections keeps a key.
_keys: WeakValueDictionary[tuple[object, ...], ReuseKey] = WeakValueDictionary()
_lock = ForkSafeLock()

#: Endpoints whose key is remembered; past the limit they are begun anew.
_KEYS_LIMIT = 4096

#: the keys of a generation, by host, port and service
_known: Derived[dict[tuple[str, int, str | None], ReuseKey | None]] = Derived(dict)


def circumstances_now() -> tuple[object, str | None]:
    """What the key of one endpoint depends on: the generation, and the service of the code."""
    return in_force.current, _service_now()


def reuse_key_now(host: str, port: int, proxy: tuple[str, int] | None = None) -> ReuseKey | None:
    """The key for a connection to the endpoint, for the service that the running code names.

    ``proxy`` is the endpoint of a proxy to which TLS is spoken: that leg has a decision of its own.
    """
    key = _key(host, port, _service_now())
    return key if proxy is None else _joined(key, proxy)


def reuse_key_of_service(
    host: str, port: int, proxy: tuple[str, int] | None = None
) -> tuple[ReuseKey | None] | None:
    """The same in a tuple, where the service that the running code names makes a difference."""
    service = _service_now()
    if service is None:
        return None
    key = _joined(_key(host, port, service), proxy)
    return None if key is _joined(_key(host, port, None), proxy) else (key,)


def reuse_key_of_proxy(proxy: tuple[str, int]) -> ReuseKey | None:
    """The key for a connection on which only the leg to the proxy has TLS."""
    return _joined(None, proxy)


def _joined(key: ReuseKey | None, proxy: tuple[str, int] | None) -> ReuseKey | None:
    proxy_key = None if proxy is None else _key(*proxy, None)
    return key if proxy_key is None else _the_key((key, proxy_key))


def _key(host: str, port: int, service: str | None) -> ReuseKey | None:
    generation = in_force.current
    if generation is None:
        return None
    question, known = (host, port, service), _known.of(generation)
    try:
        key = known[question]
    except KeyError:
        key = _find_key(generation, *question)
        if len(known) >= _KEYS_LIMIT:
            known.clear()
        known[question] = key
    return key


def _find_key(generation: Generation, host: str, port: int, service: str | None) -> ReuseKey | None:
    decided = generation.policy.select(host.strip("[]"), port, service).reuse_key
    extra = generation.extra_authorities
    if decided is None and extra is None:
        return None
    return _the_key((decided, extra and extra.digest))


def _the_key(parts: tuple[object, ...]) -> ReuseKey:
    with _lock:
        key = _keys.get(parts)
        if key is None:
            key = _keys[parts] = ReuseKey()
        return key
