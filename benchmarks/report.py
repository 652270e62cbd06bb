"""The table of figures and verdicts, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .budgets import Verdict, judge
from .figures import Amount, Difference, Figure, Ratio

UNITS = {
    "second": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "byte": ((1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "count": ((1.0, ""),),
    "per second": ((1.0, "/s"),),
}


def quantity(value: float, unit: str) -> str:
    """A value with the unit that suits its size."""
    scales = UNITS[unit]
    size, name = next((each for each in scales if abs(value) >= each[0]), scales[-1])
    number = value / size
    text = f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
    return f"{text} {name}".strip()


def in_its_unit(figure: Figure, value: float) -> str:
    """A value of the figure, such as its median or its budget, as the reader wants it."""
    if isinstance(figure, Ratio):
        return f"{value:.2f}" if value < 10 else f"{value:.3g}"
    if isinstance(figure, Difference):
        return quantity(value, "second")
    return quantity(value, figure.unit)


def reading(figure: Figure) -> str:
    """Median and quartiles."""
    median, low, high = (in_its_unit(figure, each) for each in figure.spread)
    return f"{median} ({low} to {high})"


def _sides(figure: Figure) -> str:
    if isinstance(figure, Amount):
        return ""
    sign = "/" if isinstance(figure, Ratio) else "−"  # noqa: RUF001 - the minus sign is meant
    return f"{figure.ours} {sign} {figure.theirs}"


def table(answers: Mapping[str, Iterable[Figure]]) -> str:
    """All figures, with median, quartiles, and what came of the budget where there is one."""
    verdicts = {(each.budget.question, each.figure.name): each for each in judge(answers)}
    rows = [
        _row(question, figure, verdicts.get((question, figure.name)))
        for question, figures in answers.items()
        for figure in figures
    ]
    head = "| question | figure | what | median (quartiles) | budget | |"
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *rows]) + "\n"


def _row(question: str, figure: Figure, verdict: Verdict | None) -> str:
    budget = "" if verdict is None else f"≤ {in_its_unit(figure, verdict.budget.at_most)}"
    cells = question, figure.name, _sides(figure), reading(figure), budget, str(verdict or "")
    return f"| {' | '.join(cells)} |"


def describe(verdict: Verdict) -> str:
    """One line: what, the figure, its budget, the verdict."""
    budget, figure = verdict.budget, verdict.figure
    mark = in_its_unit(figure, budget.at_most)
    return f"{verdict!s:6} {budget.question}: {figure.name}: {reading(figure)}, at most {mark}"
