"""The command ``python -m benchmarks``: all figures, the smoke run, or the budgets alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from .archive import suite_of
from .budgets import BUDGETS, judge
from .figures import Figure
from .measure import BUDGETS as BUDGET_EFFORT, FULL, SMOKE, Effort
from .plot import plot
from .questions import NAMES
from .report import describe, table
from .workers import QuestionError, ask

RESULTS = Path(__file__).resolve().parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 where ``--budgets`` finds one missed, 2 where a question fails."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except QuestionError as error:
        print(error, file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    names = [name for name in NAMES if not options.only or name in options.only]
    if options.smoke:
        return _smoke(names)
    if options.budgets:
        return _judge(names)
    return _measure(names, RESULTS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--smoke", action="store_true", help="prove that every question still runs")
    form.add_argument("--budgets", action="store_true", help="judge the budgets, write nothing")
    parser.add_argument("--only", action="append", choices=NAMES, help="only this question")
    return parser


def _ask_each(names: Iterable[str], effort: Effort) -> dict[str, list[Figure]]:
    return {name: _ask(name, effort) for name in names}


def _ask(name: str, effort: Effort) -> list[Figure]:
    print(f"measuring {name}", file=sys.stderr, flush=True)
    return ask(name, effort)


def _measure(names: Sequence[str], results: Path) -> int:
    answers = _ask_each(names, FULL)
    report = table(answers)
    print(report)
    # A part of the figures must not take the place of all of them.
    if tuple(names) == NAMES:
        results.mkdir(exist_ok=True)
        suite_of(answers).dump(str(results / "results.json"), replace=True)
        (results / "table.md").write_text(report, encoding="utf-8")
        (results / "ratios.svg").write_text(plot(judge(answers)), encoding="utf-8")
    return 0


def _smoke(names: Sequence[str]) -> int:
    """Run each question tiny; that every budget finds its figure is all that is judged."""
    # Two at a time, since here nobody minds that they disturb each other.
    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip(names, pool.map(partial(_ask, effort=SMOKE), names)))
    table(answers)
    plot(judge(answers))
    print(f"{len(answers)} questions, {sum(map(len, answers.values()))} figures: all run")
    return 0


def _judge(names: Sequence[str]) -> int:
    with_budget = {each.question for each in BUDGETS}
    verdicts = judge(_ask_each([name for name in names if name in with_budget], BUDGET_EFFORT))
    for verdict in verdicts:
        print(describe(verdict))
    return 0 if all(verdict.is_kept for verdict in verdicts) else 1
