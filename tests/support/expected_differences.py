"""Tests of others that must end otherwise with the plugin, each with the reason.

An entry stands for one failure only: its traceback must hold one of the fragments. An entry whose
test ends the same in every mode is out of date, and that fails the run too, unless two ends of a
connection race in it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .outcome_comparison import Difference
from .outcomes import Run


@dataclass(frozen=True)
class Expected:
    """A test, what its failure says, and why that is right."""

    test: str
    fragments: tuple[str, ...]
    reason: str
    races: bool = False

    def explains(self, difference: Difference) -> bool:
        text = difference.with_plugin.text
        return self.test == difference.test and any(each in text for each in self.fragments)


def explanation(difference: Difference, entries: Sequence[Expected]) -> Expected | None:
    """The entry that this difference was expected by."""
    return next((each for each in entries if each.explains(difference)), None)


def outdated(
    runs: Sequence[Run], found: Collection[Difference], entries: Sequence[Expected]
) -> list[Expected]:
    """The entries whose test was run with the plugin and differs nowhere."""
    differing = {difference.test for difference in found}
    ran = {
        test
        for each in runs
        if each.mode.plugin
        for test, outcome in each.outcomes.items()
        if outcome.name != "skip"
    }
    return [each for each in entries if each.test in ran - differing and not each.races]
