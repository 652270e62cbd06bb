"""What one source gives, while it is read: parts of settings, and what is wrong with them.

The only mutable values of this package; :mod:`.loading` makes frozen settings of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..base.faults import Origin
from ..base.near_words import NearWords
from ..errors import Fault
from ..identity.sources import Authority, IdentitySettings
from .model import ExpiredIdentities, RuleSettings, SettingsFile, UnlistedHosts, UnnamedHosts

T = TypeVar("T")


@dataclass(frozen=True)
class Given(Generic[T]):
    """A value and where it stands."""

    value: T
    origin: Origin


@dataclass
class Findings:
    """Faults and warnings in the order in which they were found, and what files were read."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    files: list[SettingsFile] = field(default_factory=list)
    _near: NearWords = field(default_factory=NearWords, repr=False, compare=False)

    def nearest(self, word: str, known: Iterable[str], skipped: str = "") -> str | None:
        """The known word that may have been meant; see :class:`~.base.near_words.NearWords`."""
        return self._near.nearest(word, known, skipped)

    def fault(self, origin: Origin, problem: str, remedy: str) -> None:
        """Add what makes the settings unusable."""
        self.faults.append(Fault(str(origin), problem, remedy))

    def warning(self, origin: Origin, problem: str, remedy: str) -> None:
        """Add what stops nothing."""
        self.warnings.append(Fault(str(origin), problem, remedy))

    def add(self, other: Findings) -> None:
        """Add all that another collection holds."""
        self.faults += other.faults
        self.warnings += other.warnings
        self.files += other.files


@dataclass
class Draft:
    """Parts of settings from one source; ``None`` is: this source does not say.

    What is wrong with identities and rules is kept apart, since it does not count where the
    identities and rules of a source are left aside as a whole.
    """

    identities: list[IdentitySettings] = field(default_factory=list)
    rules: list[RuleSettings] = field(default_factory=list)
    authorities: list[Authority] = field(default_factory=list)
    unlisted_hosts: UnlistedHosts | None = None
    unnamed_hosts: UnnamedHosts | None = None
    expired_identities: ExpiredIdentities | None = None
    services: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    service_prefixes: tuple[str, ...] | None = None
    trust_cache: bool | None = None
    #: where each single value stands, by its name in the native file
    origins: dict[str, Origin] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    identity_findings: Findings = field(default_factory=Findings)

    @property
    def gives_identities(self) -> bool:
        """Whether this source gives identities or rules, or tries to."""
        return bool(self.identities or self.rules or self.identity_findings.faults)
