"""gevent and eventlet: a greenlet that is spawned inside a service calls that service.

A new greenlet has an empty context; asyncio's tasks copy that of their maker. Given to it is the
service alone, since everything else is the program's own affair. A gevent ``Greenlet`` that a
program makes by hand is of a class in C: ``gr_context`` is the public way for it.
"""

from __future__ import annotations

import functools
from contextvars import Context
from typing import Any

from ..decisions.current_service import current_service
from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping


def _spawn(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    # It runs when the hub has its turn, and so after this.
    greenlet = wrapped(*args, **kwargs)
    _carry_service(greenlet)
    return greenlet


def _initialize(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    _carry_service(instance)
    return result


def _map(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """What spawns from a greenlet of its own: each call of the function is in the service."""
    service = current_service.get()
    if service is None or not args:
        return wrapped(*args, **kwargs)
    function = args[0]

    @functools.wraps(function, updated=())
    def call(*given: Any) -> Any:
        entry = current_service.set(service)
        try:
            return function(*given)
        finally:
            current_service.reset(entry)

    return wrapped(call, *args[1:], **kwargs)


def _carry_service(greenlet: Any) -> None:
    service = current_service.get()
    # A group may have a class of its own for what it spawns.
    if service is None or getattr(greenlet, "gr_context", service) is not None:
        return
    context = Context()
    context.run(current_service.set, service)
    greenlet.gr_context = context


def _gevent_patches() -> tuple[Patch, ...]:
    names = ("spawn", "spawn_later")
    return tuple(Patch(attribute_of("gevent"), name, wrapping(_spawn)) for name in names)


def _pool_patches() -> tuple[Patch, ...]:
    group = attribute_of("gevent.pool", "Group")
    maps = attribute_of("gevent.pool", "GroupMappingMixin")
    return (
        Patch(group, "spawn", wrapping(_spawn)),
        Patch(maps, "map", wrapping(_map)),
        Patch(maps, "map_async", wrapping(_map)),
        Patch(maps, "imap", wrapping(_spawn)),
        Patch(maps, "imap_unordered", wrapping(_spawn)),
    )


def _eventlet_patches() -> tuple[Patch, ...]:
    owner = attribute_of("eventlet.greenthread", "GreenThread")
    return (Patch(owner, "__init__", wrapping(_initialize)),)


LIBRARIES = (
    Library("gevent", _gevent_patches, "gevent", KNOWN["gevent"].versions),
    Library("gevent.pool", _pool_patches, "gevent", KNOWN["gevent"].versions),
    Library("eventlet.greenthread", _eventlet_patches, "eventlet", KNOWN["eventlet"].versions),
)
