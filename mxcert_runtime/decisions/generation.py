"""One generation: identities, policy and extra trust, built from settings and then never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from weakref import WeakKeyDictionary

from .authority import load_authority_certificates
from .endpoint import Host, HostPattern, parse_pattern
from .errors import Fault, HostNameError, IdentityError, IdentityProblem, SettingsError
from .expiry_watch import examine_dates
from .identity import Identity, Validity, load_identities
from .identity_context import IdentityContexts
from .key_transfer import NO_WAY_REMEDY, KeyTransferError, try_identity
from .material.certificate import Certificate
from .policy import Authorities, Policy, Rule, decide_by_default
from .settings.model import (
    Authority,
    AuthorityFile,
    ExpiredIdentities,
    IdentitySettings,
    Reading,
    RuleKind,
    RuleSettings,
    Settings,
    UnlistedHosts,
    UnnamedHosts,
)



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
    #: doubts that stop nothing, and identities outside their validity
    notices: tuple[Fault, ...] = ()
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












