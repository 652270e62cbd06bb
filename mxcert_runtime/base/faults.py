"""What is wrong, and where it stands: values that every room speaks in."""

from __future__ import annotations

from dataclasses import dataclass

from .printable import printable


@dataclass(frozen=True)
class Origin:
    """Where a value stands: a variable or a file, and the line or entry in it."""

    source: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.source}, {self.place}" if self.place else self.source

    def at(self, place: str) -> Origin:
        """The origin of a part of this value."""
        return Origin(self.source, f"{self.place}, {place}" if self.place else place)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what it is, and what to do about it."""

    origin: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return printable(f"{self.origin}: {self.problem}. {self.remedy}.")
