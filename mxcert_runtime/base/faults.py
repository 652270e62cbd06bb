"""What is wrong, and where it stands: values that every room speaks in."""

from __future__ import annotations

from dataclasses import field, replace
from enum import Enum

from .frozen_dataclass import dataclass
from .printable import printable


class OriginKind(Enum):
    """What kind of place a value stands in: remedies and warnings go by it, never by the words."""

    #: an environment variable holds it
    VARIABLE = "variable"
    #: a settings file of ours, or the argument of `activate`, in the structure of that file
    NATIVE = "native"
    #: the ClientCertificates family, in a self-hosted file
    FAMILY = "family"
    #: a list of PKCS12 contents with their pins, in the cloud's variable or a Kubernetes resource
    INLINE = "inline"
    #: it stands elsewhere, and this is the setting that says where
    POINTER = "pointer"
    OTHER = "other"


@dataclass(frozen=True)
class Origin:
    """Where a value stands: a variable or a file, and the line or entry in it."""

    source: str
    place: str = ""
    #: by the other two, where they are equal this is
    kind: OriginKind = field(default=OriginKind.OTHER, compare=False, repr=False)

    @classmethod
    def variable(cls, name: str, kind: OriginKind = OriginKind.VARIABLE) -> Origin:
        """The origin of what stands in an environment variable."""
        return cls(f"environment variable {name}", kind=kind)

    def __str__(self) -> str:
        return f"{self.source}, {self.place}" if self.place else self.source

    def at(self, place: str) -> Origin:
        """The origin of a part of this value."""
        # By the class itself, since a thousand entries have an origin each.
        inner = f"{self.place}, {place}" if self.place else place
        return Origin(self.source, inner, self.kind)

    def of_kind(self, kind: OriginKind) -> Origin:
        """This origin, known to be of a kind."""
        return replace(self, kind=kind)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what it is, and what to do about it."""

    origin: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return printable(f"{self.origin}: {self.problem}. {self.remedy}.")
