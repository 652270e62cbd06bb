"""A plot of ratios as SVG, on a logarithmic scale, legible on light and on dark ground."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from .budgets import Verdict
from .figures import Ratio
from .report import in_its_unit

#: in the middle between black and white, so that each ground shows them
_INK, _FIGURE, _MISSED = "#7d8590", "#2f7fd1", "#c9510c"
_TITLE = "Time of ours, divided by the time of what it stands beside: less is better"
_LEGEND = "bar: median; thin line: quartiles; upright mark: the most that the budget allows"
_TICKS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
#: inches
_WIDTH, _ROW, _MARGIN = 9.5, 0.32, 1.1
#: so that the same figures give the same file
_SETTINGS: Any = {"svg.hashsalt": "mxcert", "svg.fonttype": "none", "font.size": 9}


def plot(verdicts: Sequence[Verdict]) -> str:
    """The ratios that have a budget, each as a bar from 1, with its quartiles and its budget."""
    import matplotlib

    shown = [each for each in verdicts if isinstance(each.figure, Ratio)]
    with matplotlib.rc_context(_SETTINGS):
        return _as_svg(_draw(shown))


def _draw(shown: Sequence[Verdict]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _MARGIN + _ROW * len(shown)), layout="constrained")
    axes = figure.subplots()
    for place, verdict in enumerate(shown):
        _draw_row(axes, place, verdict)
    axes.set_xscale("log")
    axes.axvline(1, color=_INK, linewidth=1)
    axes.set_xticks(_TICKS, [f"{each:g}" for each in _TICKS])
    axes.minorticks_off()
    axes.set_xlim(*_limits(shown))
    axes.set_yticks(range(len(shown)), [_name(each) for each in shown])
    axes.invert_yaxis()
    axes.set_title(_TITLE, color=_INK, loc="right")
    axes.set_xlabel(_LEGEND, color=_INK)
    axes.tick_params(colors=_INK, length=0)
    axes.grid(axis="x", color=_INK, alpha=0.35)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    return figure


def _draw_row(axes: Any, place: int, verdict: Verdict) -> None:
    spread, budget = verdict.figure.spread, verdict.budget.at_most
    colour = _FIGURE if verdict.is_kept else _MISSED
    axes.barh(place, spread.median - 1, left=1, height=0.55, color=colour)
    axes.plot([spread.low, spread.high], [place, place], color=_INK, linewidth=1.5)
    axes.plot([budget, budget], [place - 0.4, place + 0.4], color=_INK, linewidth=2)
    text = in_its_unit(verdict.figure, spread.median)
    end = max(1, spread.high, budget)
    axes.annotate(
        text, (end, place), (6, 0), textcoords="offset points", va="center", color=_INK, size=8
    )


def _limits(shown: Sequence[Verdict]) -> tuple[float, float]:
    values = [value for each in shown for value in (*each.figure.spread, each.budget.at_most)]
    return min([0.5, *values]) / 1.15, max([2.0, *values]) * 1.25


def _name(verdict: Verdict) -> str:
    return f"{verdict.budget.question}: {verdict.figure.name}"


def _as_svg(figure: Any) -> str:
    target = io.StringIO()
    # Neither the date nor the version of the library is a figure.
    figure.savefig(target, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return target.getvalue()
