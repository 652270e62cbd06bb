"""One generation: what settings decided, as a value that never changes."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Fault
from ..identity.authorities import Authorities
from ..identity.identity import Identity
from ..settings.model import Settings
from .policy import Policy


@dataclass(frozen=True, eq=False)
class Generation:
    """A snapshot of everything that decides about connections; two are never the same."""

    settings: Settings
    identities: tuple[Identity, ...]
    policy: Policy
    #: authorities that are added to default trust
    extra_authorities: Authorities | None
    #: what stops nothing, and identities outside their validity
    warnings: tuple[Fault, ...] = ()
    invalid: tuple[Fault, ...] = ()
