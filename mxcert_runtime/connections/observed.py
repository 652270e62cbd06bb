"""Endpoints at which the next connections see what the server asks, since a handshake failed there.

A connection that needs nothing in its handshake does not listen to its server, which costs time. So
a failure can say what was asked for only when it comes again.
"""

from __future__ import annotations

from typing import Optional

from ..base import Host
from ..contexts import shared_contexts
from ..decisions import Derived, Generation

Endpoint = tuple[Optional[Host], Optional[int]]

#: Endpoints that are observed at most; a crawler must not grow them without end.
_LIMIT = 256

_observed: Derived[set[Endpoint]] = Derived(set)


def observe(generation: Generation, endpoint: Endpoint) -> bool:
    """Observe an endpoint from now on, as long as a generation is in force; whether there is room.

    Plans that are kept do not listen, so they are made anew.
    """
    endpoints = _observed.of(generation)
    if endpoint not in endpoints and len(endpoints) < _LIMIT:
        endpoints.add(endpoint)
        shared_contexts.ask_again()
    return endpoint in endpoints


def is_observed(generation: Generation, endpoint: Endpoint) -> bool:
    """Whether connections to an endpoint listen to what the server asks."""
    return endpoint in _observed.of(generation)
