"""A suite's runs without and with the plugin, and what of their differences is a finding."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tests.support.expected_differences import Expected, explanation, outdated
from tests.support.outcome_comparison import Difference, differences, lasting
from tests.support.outcomes import Run
from tests.support.plugin_modes import Mode

from .running import run
from .values import Suite

#: How often what differs is run again by itself, in all modes.
ALONE = 3
#: Where more differ, the run as a whole went wrong, and is run again as a whole.
FEW = 50


@dataclass(frozen=True)
class Compared:
    """The runs of a suite, the one without the plugin first, and what came of comparing them.

    ``unsteady`` differed in the first runs and not in every one that followed.
    """

    suite: Suite
    runs: tuple[Run, ...]
    explained: tuple[tuple[Difference, Expected], ...]
    unexplained: tuple[Difference, ...]
    unsteady: tuple[Difference, ...]
    outdated: tuple[Expected, ...]

    @property
    def void(self) -> bool:
        """Whether a run with the plugin decided on no connection, though the suite makes some."""
        return self.suite.connects and not all(
            each.connections for each in self.runs if each.mode.plugin
        )

    @property
    def right(self) -> bool:
        return not (self.unexplained or self.outdated or self.void)


def compare(suite: Suite, modes: Sequence[Mode]) -> Compared:
    """Run the suite in every mode, the one without the plugin first, and compare."""
    runs = _run_all(suite, modes)
    found = differences(runs)
    unexplained = [each for each in found if explanation(each, suite.expected) is None]
    findings = _findings(suite, modes, unexplained)
    reasons = ((each, explanation(each, suite.expected)) for each in found)
    return Compared(
        suite=suite,
        runs=tuple(runs),
        explained=tuple((each, reason) for each, reason in reasons if reason),
        unexplained=tuple(findings),
        unsteady=tuple(each for each in unexplained if each not in findings),
        outdated=tuple(outdated(runs, found, suite.expected)),
    )


def _run_all(suite: Suite, modes: Sequence[Mode], tests: Collection[str] = ()) -> list[Run]:
    """One after another: some suites listen on fixed ports."""
    runs = []
    for mode in modes:
        runs.append(run(suite, mode, tests))
        if not tests:
            print(line(runs[-1]), flush=True)
    return runs


def line(each: Run) -> str:
    """A run in words."""
    names = sorted({outcome.name for outcome in each.outcomes.values()})
    counts = ", ".join(f"{each.count(name)} {name}" for name in names)
    decided = f"; {each.connections} connections decided" if each.mode.plugin else ""
    return f"{each.suite:<12}{each.mode.name:<7}{each.seconds:6.1f} s  {counts}{decided}"


def _findings(
    suite: Suite, modes: Sequence[Mode], unexplained: Sequence[Difference]
) -> list[Difference]:
    """What differs each time by itself, or each time behind the tests before it."""

    def alone(chosen: Sequence[Difference]) -> list[Difference]:
        return differences(_run_all(suite, modes, sorted({each.test for each in chosen})))

    def whole(chosen: Sequence[Difference]) -> list[Difference]:
        print(f"{suite.name}: once more, because of {len(chosen)} differences", flush=True)
        return differences(_run_all(suite, modes))

    single = [each for each in unexplained if "::" in each.test]
    by_themselves = lasting(single, alone, ALONE) if len(single) <= FEW else []
    rest = [each for each in unexplained if each not in by_themselves]
    return by_themselves + lasting(rest, whole)
