"""One generation: what settings decided, as a value that never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from ..base import dataclass
from ..errors import Fault
from ..identity import Authorities, Identity
from ..settings import Settings
from .policy import Policy


@dataclass(frozen=True, eq=False)
class Generation:
    """A snapshot of everything that decides about connections; two are never the same."""

    settings: Settings
    identities: tuple[Identity, ...]
    policy: Policy
    #: authorities that are added to default trust
    extra_authorities: Authorities | None
    #: what each entry gives, by its name: the name of an identity does not say whose it is
    entries: Mapping[str, tuple[Identity, ...]] = field(default_factory=dict)
    #: those that are pinned for the hosts of an entry, by its name, whether a rule names it or not
    pinned: Mapping[str, Authorities | None] = field(default_factory=dict)
    #: what stops nothing, and identities outside their validity
    warnings: tuple[Fault, ...] = ()
    invalid: tuple[Fault, ...] = ()

    def decides_like(self, other: Generation) -> bool:
        """Whether every connection gets the same under both, by the content of what they name."""
        return self.settings == other.settings and self._content() == other._content()

    def _content(self) -> tuple[object, ...]:
        rules = (*self.policy.hosts.values(), *self.policy.services.values())
        return (
            [(each.name, each.digest) for each in self.identities],
            self.extra_authorities,
            [each.authorities for each in rules],
        )
