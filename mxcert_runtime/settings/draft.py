"""What one source gives, while it is read: parts of settings, and what is wrong with them.

The only mutable values of this package; :mod:`.loading` makes frozen settings of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from ..base import Origin, OriginKind, dataclass
from ..errors import Fault
from ..identity import Authority, IdentitySettings
from .model import RuleSettings, SettingsFile

if TYPE_CHECKING:
    from ..base import NearWords

T = TypeVar("T")


class Findings:
    """Faults and warnings in the order in which they were found, and what files were read."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.files: list[SettingsFile] = []

    @cached_property
    def near(self) -> NearWords:
        """What is searched for the word that was meant, within one bound of work for all."""
        from ..base import NearWords  # late: only mistakes need it

        return NearWords()

    def add(self, other: Findings) -> None:
        """Add all that another collection holds."""
        self.faults += other.faults
        self.warnings += other.warnings
        self.files += other.files


@dataclass(frozen=True)
class Place:
    """Where a value stands, and so where what is wrong with it is told.

    Every reader takes one: it knows what to say, and not who listens.
    """

    origin: Origin
    #: what relative paths in the document are relative to; nothing is the working directory
    folder: str = ""
    #: for settings that name a variable
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    findings: Findings = field(default_factory=Findings, repr=False, compare=False)

    def __str__(self) -> str:
        return str(self.origin)

    def at(self, part: str) -> Place:
        """The place of a part of what stands here."""
        # By the class itself, since a thousand entries have a place each.
        return Place(self.origin.at(part), self.folder, self.environ, self.findings)

    def at_pointer(self, part: str) -> Place:
        """The place of a part that says where a value is, and does not hold it."""
        return replace(self, origin=self.origin.at(part).of_kind(OriginKind.POINTER))

    def elsewhere(self, origin: Origin) -> Place:
        """Another place that is seen from the same folder and environment, and told with this."""
        return replace(self, origin=origin)

    def telling(self, findings: Findings) -> Place:
        """This place, of which the faults go elsewhere."""
        return replace(self, findings=findings)

    def fault(self, problem: str, remedy: str) -> None:
        """Tell what makes the settings unusable."""
        self.findings.faults.append(Fault(str(self.origin), problem, remedy))

    def warn(self, problem: str, remedy: str) -> None:
        """Tell what stops nothing."""
        self.findings.warnings.append(Fault(str(self.origin), problem, remedy))

    def nearest(self, word: str, known: Iterable[str], skipped: str = "") -> str | None:
        """The known word that may have been meant; see :class:`~.base.near_words.NearWords`."""
        return self.findings.near.nearest(word, known, skipped)


@dataclass(frozen=True)
class Given(Generic[T]):
    """A value and where it stands."""

    value: T
    place: Place


class Draft:
    """Parts of settings from one source.

    What is wrong with identities and rules is kept apart, since it does not count where the
    identities and rules of a source are left aside as a whole.
    """

    def __init__(self) -> None:
        self.identities: list[IdentitySettings] = []
        self.rules: list[RuleSettings] = []
        self.authorities: list[Authority] = []
        #: by the key in :mod:`.scalars`, what this source says; ``None`` is: said, and a fault
        self.scalars: dict[str, Given[object]] = {}
        self.findings, self.identity_findings = Findings(), Findings()

    @property
    def gives_identities(self) -> bool:
        """Whether this source gives identities or rules, or tries to."""
        return bool(self.identities or self.rules or self.identity_findings.faults)

    def add(self, other: Draft) -> None:
        """Add what another draft of the same source gives."""
        self.identities += other.identities
        self.rules += other.rules
        self.authorities += other.authorities
        self.scalars.update(other.scalars)
        self.findings.add(other.findings)
        self.identity_findings.add(other.identity_findings)
