"""The benchmarks' own arithmetic, on made-up numbers, and that one question runs."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("pyperf", reason="pyperf comes with the extra `benchmarks`")

from benchmarks.archive import answers_of, suite_of
from benchmarks.budgets import BUDGETS, Budget, UnknownFigureError, judge
from benchmarks.figures import Amount, Difference, Figure, Pair, Ratio, Spread, merge
from benchmarks.measure import Effort, Side, alternate, alternate_difference, statement
from benchmarks.plot import plot
from benchmarks.questions import NAMES, load_question
from benchmarks.report import describe, table
from benchmarks.workers import clean_environment

pytestmark = pytest.mark.any_python

_PATH = "{http://www.w3.org/2000/svg}path"
ROOT = Path(__file__).resolve().parents[2]
EFFORT = Effort(pairs=4, workers=1, chunk=0.001)


def _ratio(name: str, *values: float, theirs: float = 2.0) -> Ratio:
    return Ratio(name, "ours", "theirs", tuple(Pair(each * theirs, theirs) for each in values))


def _difference(name: str, *values: float) -> Difference:
    return Difference(name, "ours", "theirs", tuple(Pair(5.0 + each, 5.0) for each in values))


def test_a_ratio_is_the_median_of_its_pairs() -> None:
    """Neighbours are divided by each other: a machine half as fast in between changes nothing."""
    slow_for_a_while = (Pair(3.0, 2.0), Pair(300.0, 200.0), Pair(3.0, 2.0), Pair(30.0, 10.0))
    assert Spread(1.5, 1.5, 1.875) == Ratio("r", "a", "b", slow_for_a_while).spread


def test_a_difference_is_the_median_of_its_pairs() -> None:
    """Ours minus theirs, so that what is faster is below zero."""
    assert Spread(1.0, -0.5, 1.5) == _difference("d", -2.0, 1.0, 2.0).spread


def test_one_value_is_its_own_spread() -> None:
    """An amount that is measured once has quartiles as well."""
    assert Spread(7.0, 7.0, 7.0) == Amount("a", "byte", (7.0,)).spread


def test_figures_of_several_processes_are_joined() -> None:
    """By name, in the order in which they came first."""
    joined = merge([_ratio("r", 1.0), Amount("a", "byte", (1.0,)), _ratio("r", 3.0)])
    assert [_ratio("r", 1.0, 3.0), Amount("a", "byte", (1.0,))] == joined


def test_figures_of_two_kinds_are_not_joined() -> None:
    """A ratio and a difference of the same name are a mistake in the question."""
    with pytest.raises(ValueError, match="'r' is measured in two ways"):
        merge([_ratio("r", 1.0), _difference("r", 1.0)])


class _Clock:
    """Sides that take made-up times and write down their turns."""

    def __init__(self) -> None:
        self.turns: list[str] = []

    def side(self, name: str, seconds: float) -> Side:
        def timed(loops: int) -> float:
            self.turns.append(name)
            return loops * seconds

        return Side(name, timed, lambda: self.turns.append("prepare"))

    @property
    def measured(self) -> str:
        return "".join(each for each in self.turns if each != "prepare")


def test_the_sides_take_turns() -> None:
    """After one turn each to warm up, every second pair begins with the other side."""
    clock = _Clock()
    alternate("r", clock.side("A", 3.0), clock.side("B", 2.0), EFFORT, loops=1)
    assert "AB" + "ABBAABBA" == clock.measured
    assert ["prepare"] * 10 == clock.turns[::2]


def test_loops_are_divided_out() -> None:
    """A calibrated chunk, whatever its loops, gives the time for one operation."""
    clock = _Clock()
    sides = clock.side("A", 3e-5), clock.side("B", 2e-5)
    assert pytest.approx(1.5) == alternate("r", *sides, EFFORT).spread.median
    assert pytest.approx(1e-5) == alternate_difference("d", *sides, EFFORT).spread.median


def test_a_statement_is_timed_for_each_loop() -> None:
    """However many loops there are, the function has been called about as often."""
    called: list[None] = []
    timed = statement("called.append(None)", called=called)
    assert 0.0 < timed(1_000)
    assert 1_000 == len(called)


@pytest.fixture
def budgets() -> Sequence[Budget]:
    """One for each unit."""
    return (
        Budget("q", "kept ratio", 1.15),
        Budget("q", "missed ratio", 1.15),
        Budget("q", "difference", 1.5e-6),
        Budget("q", "amount", 40e6),
        Budget("another question", "not asked", 1.0),
    )


@pytest.fixture
def answers() -> dict[str, list[Figure]]:
    """Figures for them."""
    figures: list[Figure] = [
        _ratio("kept ratio", 1.1, 1.15, 9.0),
        _ratio("missed ratio", 0.1, 1.16, 1.2),
        _difference("difference", 2e-6),
        Amount("amount", "byte", (39e6,)),
    ]
    return {"q": figures}


def test_verdicts(answers: dict[str, list[Figure]], budgets: Sequence[Budget]) -> None:
    """The median decides, the mark itself is still kept, and what was not asked is left out."""
    verdicts = judge(answers, budgets)
    assert [True, False, False, True] == [each.is_kept for each in verdicts]
    assert "MISSED q: difference: 2 µs (2 µs to 2 µs), at most 1.5 µs" == describe(verdicts[2])
    assert "kept   q: amount: 39 MB (39 MB to 39 MB), at most 40 MB" == describe(verdicts[3])


def test_a_budget_without_its_figure_is_an_error(budgets: Sequence[Budget]) -> None:
    """A figure that is renamed must not take its budget out of force."""
    with pytest.raises(UnknownFigureError, match="q has no figure 'kept ratio'"):
        judge({"q": []}, budgets)


def test_every_budget_is_of_a_question() -> None:
    """The table names questions that there are."""
    assert set() == {each.question for each in BUDGETS} - set(NAMES)


@pytest.mark.parametrize("name", ["lookup", "imports"])
def test_a_question_has_the_name_of_its_module(name: str) -> None:
    """So `--only` and the module's own command ask the same."""
    assert name == load_question(name).name


def test_the_archive_gives_back_what_it_got(answers: dict[str, list[Figure]]) -> None:
    """Kinds, sides and pairs survive pyperf's JSON, and the order too."""
    assert answers == answers_of(suite_of(answers))


def test_the_table(answers: dict[str, list[Figure]]) -> None:
    """A line for each figure under the head."""
    lines = table(answers).splitlines()
    assert "| q | kept ratio | ours / theirs | 1.15 (1.12 to 5.08) |  |  |" == lines[2]
    assert "| q | amount |  | 39 MB (39 MB to 39 MB) |  |  |" == lines[5]


def test_the_plot(answers: dict[str, list[Figure]], budgets: Sequence[Budget]) -> None:
    """Well-formed, with a name for each ratio, and a bar that is kept and one that is missed."""
    pytest.importorskip("matplotlib", reason="matplotlib comes with the extra `benchmarks`")
    verdicts = judge(answers, budgets)
    text = plot(verdicts)
    root = ElementTree.fromstring(text)  # noqa: S314 - our own
    names = {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"q: kept ratio", "q: missed ratio"} <= names
    bars = [re.search("fill: (#[0-9a-f]{6})", each.get("style", "")) for each in root.iter(_PATH)]
    assert ["#2f7fd1", "#c9510c"] == [each[1] for each in bars if each]
    assert text == plot(verdicts)


def test_a_smoke_run_asks_and_judges_nothing() -> None:
    """A cheap question runs tiny in its own process, and writes no results."""
    pytest.importorskip("matplotlib", reason="matplotlib comes with the extra `benchmarks`")
    results = ROOT / "benchmarks" / "results"
    before = sorted(results.glob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--smoke", "--only", "lookup"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr.replace("measuring lookup\n", ""))
    assert "1 questions, 15 figures: all run\n" == done.stdout
    assert before == sorted(results.glob("*"))
