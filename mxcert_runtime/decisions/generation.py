"""One generation: identities, policy and extra trust, built from settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..base.hosts import Host
from ..contexts.identity_contexts import IdentityContexts
from ..errors import Fault
from ..identity.authorities import Authorities
from ..identity.identity import Identity
from ..settings.model import (
    Settings,
)
from .policy import Policy

#: Endpoints that are watched at most; a crawler must not grow them without end.
_WATCHED_LIMIT = 256


@dataclass(frozen=True, eq=False)
class Generation:
    """A snapshot of everything that decides about connections."""

    settings: Settings
    identities: tuple[Identity, ...]
    policy: Policy
    #: authorities that are added to default trust
    extra_authorities: Authorities | None
    #: what stops nothing, and identities outside their validity
    warnings: tuple[Fault, ...] = ()
    invalid: tuple[Fault, ...] = ()
    contexts: IdentityContexts = field(default_factory=IdentityContexts)
    #: what kept connections must have been opened under, by host, port and service
    reuse_keys: dict[tuple[str, int, str | None], Any] = field(default_factory=dict)
    #: endpoints where a handshake has failed; the next one there listens to what the server asks
    watched: set[tuple[Host | None, int | None]] = field(default_factory=set)

    def watch(self, host: Host | None, port: int | None) -> None:
        """Listen to what the server asks on later connections to an endpoint."""
        if len(self.watched) < _WATCHED_LIMIT and (host, port) not in self.watched:
            self.watched.add((host, port))
            # Plans that are kept do not listen.
            self.contexts.edition += 1
