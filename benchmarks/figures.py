"""What a question answers with: paired values that say by themselves how they are to be read."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Union


class Pair(NamedTuple):
    """Two neighbouring values of one run, so that what slows the machine down slows both."""

    ours: float
    theirs: float


class Spread(NamedTuple):
    """Median and quartiles."""

    median: float
    low: float
    high: float


def spread_of(values: Sequence[float]) -> Spread:
    """The spread of at least one value."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(statistics.median(values), low, high)


@dataclass(frozen=True)
class Comparison:
    """Ours beside theirs, pair by pair; the values are seconds for one operation."""

    name: str
    ours: str
    theirs: str
    pairs: tuple[Pair, ...] = field(repr=False)


class Ratio(Comparison):
    """Ours divided by theirs."""

    @property
    def spread(self) -> Spread:
        return spread_of([ours / theirs for ours, theirs in self.pairs])


class Difference(Comparison):
    """Ours minus theirs, in seconds."""

    @property
    def spread(self) -> Spread:
        return spread_of([ours - theirs for ours, theirs in self.pairs])


@dataclass(frozen=True)
class Amount:
    """A quantity that stands beside nothing; ``unit`` is one of `report.UNITS`."""

    name: str
    unit: str
    values: tuple[float, ...] = field(repr=False)

    @property
    def spread(self) -> Spread:
        return spread_of(self.values)


Figure = Union[Ratio, Difference, Amount]


def merge(figures: Iterable[Figure]) -> list[Figure]:
    """One figure for each name, with the values of all of that name, in the order first seen."""
    merged: dict[str, Figure] = {}
    for each in figures:
        standing = merged.get(each.name)
        merged[each.name] = each if standing is None else _joined(standing, each)
    return list(merged.values())


def _joined(first: Figure, second: Figure) -> Figure:
    if isinstance(first, Amount) and isinstance(second, Amount):
        return Amount(first.name, first.unit, first.values + second.values)
    if isinstance(first, Amount) or isinstance(second, Amount) or type(first) is not type(second):
        raise ValueError(f"{first.name!r} is measured in two ways")
    return type(first)(first.name, first.ours, first.theirs, first.pairs + second.pairs)
