"""What differs between the runs of a suite, and what still differs when it is run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .outcomes import Outcome, Run

MISSING = Outcome("not run")

#: How often a suite with a difference is run again, in all modes, before the difference counts.
RETRIES = 2


@dataclass(frozen=True)
class Difference:
    """A test whose outcome depends on the plugin, in the mode with this name."""

    suite: str
    mode: str
    test: str
    without: Outcome
    with_plugin: Outcome

    def __str__(self) -> str:
        outcomes = f"{self.without.name} without the plugin, {self.with_plugin.name} with"
        head = f"{self.test}, mode {self.mode}: {outcomes}"
        texts = [self.without.text, self.with_plugin.text]
        return "\n".join([head, *(text.rstrip() for text in texts if text)])

    @property
    def key(self) -> tuple[str, str]:
        return self.mode, self.test


def differences(runs: Sequence[Run]) -> list[Difference]:
    """Every test that ends otherwise than in the run of its suite without the plugin."""
    bare = {each.suite: each for each in runs if not each.mode.plugin}
    return [found for each in runs for found in _between(bare[each.suite], each)]


def _between(without: Run, with_plugin: Run) -> list[Difference]:
    found = []
    for test in sorted(without.outcomes.keys() | with_plugin.outcomes.keys()):
        before = without.outcomes.get(test, MISSING)
        after = with_plugin.outcomes.get(test, MISSING)
        # The same failure is no difference: what fails anyway is not the plugin's.
        if before.name != after.name:
            suite, mode = with_plugin.suite, with_plugin.mode.name
            found.append(Difference(suite, mode, test, before, after))
    return found


def lasting(
    found: Sequence[Difference],
    again: Callable[[Sequence[Difference]], Sequence[Difference]],
    retries: int = RETRIES,
) -> list[Difference]:
    """Those of the differences that every retry shows as well; ``again`` gets what still differs.

    Whole suites are worth another run, and not single tests only: what differs only behind other
    tests is what a leak between connections looks like.
    """
    lasts = list(found)
    for _ in range(retries):
        if not lasts:
            break
        still = {each.key for each in again(lasts)}
        lasts = [each for each in lasts if each.key in still]
    return lasts
