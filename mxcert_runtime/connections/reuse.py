"""When a kept connection may be used again: only under a decision that presents the same.

Pools of clients know hosts and TLS settings, and nothing of identities, services and generations.
"""

from __future__ import annotations

from typing import Optional
from weakref import WeakValueDictionary

from ..base import ForkSafeLock, Host
from ..decisions import Decision, Derived, Generation, in_force
from ..decisions.current_service import current_service

_service_now = current_service.get


class ReuseKey:
    """What connections present; the same object for the same, so pools compare it at no cost."""

    __slots__ = ("__weakref__", "is_over")

    def __init__(self, *, is_over: bool = False) -> None:
        #: whether no connection under the settings in force presents that
        self.is_over = is_over

    def __reduce__(self) -> tuple[object, ...]:
        # aiohttp puts it into its errors, which programs pickle; it means nothing elsewhere.
        return bool, ()


#: what a session was made under, and for which host
SessionMark = tuple[ReuseKey, Optional[Host]]

#: What a key stands for: see :attr:`~.decisions.policy.Decision.reuse_key`, and the digest of the
#: extra authorities that may have counted.
_Parts = tuple[Optional[tuple[object, ...]], Optional[str]]
#: Only who keeps connections keeps a key.
_keys: WeakValueDictionary[_Parts, ReuseKey] = WeakValueDictionary()
#: of connections of two legs with TLS, by the keys of the legs
_joined_keys: WeakValueDictionary[tuple[ReuseKey | None, ReuseKey], ReuseKey] = (
    WeakValueDictionary()
)
_lock = ForkSafeLock()

#: Endpoints whose key is remembered; past the limit they are begun anew.
_KEYS_LIMIT = 4096

#: the keys of a generation, by host, port and service
_known: Derived[dict[tuple[str, int, str | None], ReuseKey | None]] = Derived(dict)


def circumstances_now() -> tuple[object, str | None]:
    """What the key of one endpoint depends on: the generation, and the service of the code."""
    return in_force.up_to_date(), _service_now()


def changes_now() -> int:
    """How often settings were replaced, for :func:`is_certain_since`."""
    return in_force.changes


def is_certain_since(changes: int) -> bool:
    """Whether a key that was the same then and is now was the same all the time between.

    Where settings came and went again meanwhile, a connection may have been opened under them.
    """
    return in_force.changes - changes <= 1


def reuse_key_now(host: str, port: int, proxy: tuple[str, int] | None = None) -> ReuseKey | None:
    """The key for a connection to the endpoint, for the service that the running code names.

    ``proxy`` is the endpoint of a proxy to which TLS is spoken: that leg has a decision of its own.
    """
    key = _key(host, port, _service_now())
    return key if proxy is None else _joined(key, proxy)


def reuse_key_of_service(
    host: str, port: int, proxy: tuple[str, int] | None = None
) -> tuple[ReuseKey | None] | None:
    """The key in a tuple, where the service that the running code names makes a difference."""
    service = _service_now()
    if service is None:
        return None
    key = _joined(_key(host, port, service), proxy)
    return None if key is _joined(_key(host, port, None), proxy) else (key,)


def reuse_key_of_proxy(proxy: tuple[str, int]) -> ReuseKey | None:
    """The key for a connection on which only the leg to the proxy has TLS."""
    return _joined(None, proxy)


def reuse_key_of(generation: Generation, decision: Decision) -> ReuseKey | None:
    """The key for a connection that was opened under a decision of a generation."""
    parts = _parts(generation, decision)
    return None if parts == (None, None) else _the_key(parts)


def key_of_sessions(generation: Generation, decision: Decision) -> ReuseKey:
    """What a session must have been made under to be resumed; there is one for nothing, too."""
    return _the_key(_parts(generation, decision))


def end_keys(generation: Generation) -> None:
    """Say of every key whether something under a generation presents what it stands for."""
    with _lock:
        if not _keys:
            return  # as at a start, where there may be thousands of decisions
    policy = generation.policy
    decisions = (*policy.hosts.values(), *policy.services.values(), policy.default)
    live = {_parts(generation, each) for each in decisions}
    live |= {(None, None), (None, _extra(generation))}
    with _lock:
        for parts, key in list(_keys.items()):
            key.is_over = parts not in live
        for legs, key in list(_joined_keys.items()):
            key.is_over = any(each is not None and each.is_over for each in legs)


def _joined(key: ReuseKey | None, proxy: tuple[str, int] | None) -> ReuseKey | None:
    proxy_key = None if proxy is None else _key(*proxy, None)
    if proxy_key is None:
        return key
    with _lock:
        joined = _joined_keys.get((key, proxy_key))
        if joined is None:
            joined = _joined_keys[key, proxy_key] = ReuseKey()
        return joined


def _key(host: str, port: int, service: str | None) -> ReuseKey | None:
    generation = in_force.up_to_date()
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
    return reuse_key_of(generation, generation.policy.select(host.strip("[]"), port, service))


def _parts(generation: Generation, decision: Decision) -> _Parts:
    return decision.reuse_key, _extra(generation)


def _extra(generation: Generation) -> str | None:
    extra = generation.extra_authorities
    return None if extra is None else extra.digest


def _the_key(parts: _Parts) -> ReuseKey:
    with _lock:
        key = _keys.get(parts)
        if key is None:
            key = _keys[parts] = ReuseKey()
        return key
