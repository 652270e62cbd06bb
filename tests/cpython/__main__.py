"""``python -m tests.cpython``: compare CPython's suites without and with the plugin.

Exit status 0: every test ended as expected; 1: some did not, each printed with both outcomes.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.expected_differences import Expected, explanation, outdated
from tests.support.outcome_comparison import Difference, differences, lasting
from tests.support.outcomes import Run
from tests.support.plugin_modes import BARE, Mode, plugin_modes

from . import suites
from .expected import EXPECTED


def main(arguments: Sequence[str]) -> int:
    """Run and compare; the exit status."""
    options = _parse(arguments)
    chosen = [suite for suite in options.suites if suite in suites.present()]
    print(f"CPython {platform.python_version()}", flush=True)
    for suite in sorted(set(options.suites) - set(chosen)):
        print(f"{suite}: this interpreter does not ship it")
    with tempfile.TemporaryDirectory() as folder:
        modes = () if options.bare else plugin_modes(Path(folder))
        runs = _run_all(chosen, (BARE, *modes), options.jobs)
        if options.json:
            options.json.write_text(json.dumps([_as_data(each) for each in runs], indent=1))
        return _compare(runs, (BARE, *modes), options.jobs)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cpython", description=__doc__)
    parser.add_argument("suites", nargs="*", default=suites.SUITES, metavar="SUITE")
    parser.add_argument("--bare", action="store_true", help="without the plugin only, to time it")
    # The suites mostly wait, so more of them than cores run side by side.
    parser.add_argument("--jobs", type=int, default=4, help="runs side by side (default 4)")
    parser.add_argument("--json", type=Path, help="write all outcomes to this file")
    return parser.parse_args(arguments)


def _run_all(chosen: Collection[str], modes: Sequence[Mode], jobs: int) -> list[Run]:
    with ThreadPoolExecutor(jobs) as pool:
        pairs = [(suite, mode) for suite in chosen for mode in modes]
        runs = []
        for each in pool.map(lambda pair: suites.run(*pair), pairs):
            print(_line(each), flush=True)
            runs.append(each)
        return runs


def _line(each: Run) -> str:
    names = sorted({outcome.name for outcome in each.outcomes.values()})
    counts = ", ".join(f"{each.count(name)} {name}" for name in names)
    return f"{each.suite:<28}{each.mode.name:<7}{each.seconds:6.1f} s  {counts}"


def _compare(runs: Sequence[Run], modes: Sequence[Mode], jobs: int) -> int:
    found = differences(runs)
    unexplained = [each for each in found if explanation(each, EXPECTED) is None]

    def again(chosen: Sequence[Difference]) -> list[Difference]:
        print("once more, because of differences:", flush=True)
        return differences(_run_all(sorted({each.suite for each in chosen}), modes, jobs))

    return _report(found, lasting(unexplained, again), outdated(runs, found, EXPECTED))


def _report(
    found: Sequence[Difference], bad: Sequence[Difference], entries: Sequence[Expected]
) -> int:
    for each in found:
        reason = explanation(each, EXPECTED)
        if reason:
            print(f"\nexpected: {each.test}, mode {each.mode}: {reason.reason}")
    for each in bad:
        print(f"\nDIFFERENT: {each}")
    for entry in entries:
        print(f"\nOUT OF DATE: {entry.test} ends as without the plugin; drop it from expected.py")
    print(f"\n{len(bad)} tests of CPython end otherwise with the plugin than expected")
    return 1 if bad or entries else 0


def _as_data(each: Run) -> dict[str, object]:
    outcomes = {test: vars(outcome) for test, outcome in each.outcomes.items()}
    mode, seconds = each.mode.name, round(each.seconds, 1)
    return {"suite": each.suite, "mode": mode, "seconds": seconds, "outcomes": outcomes}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
