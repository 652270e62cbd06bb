"""A plot of ratios as SVG, on a logarithmic scale, legible on light and on dark ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .budgets import Verdict
from .figures import Ratio
from .report import in_its_unit

_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .small { font-size: 11px; fill: #57606a; }
  .grid { stroke: #8c959f; stroke-opacity: .35; }
  .one { stroke: #57606a; stroke-width: 1.5; }
  .figure { fill: #2f7fd1; }
  .missed { fill: #c9510c; }
  .spread { stroke: #57606a; stroke-width: 1.5; }
  .budget { stroke: #24292f; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .small { fill: #9da7b3; }
    .one, .spread { stroke: #9da7b3; }
    .figure { fill: #58a6ff; }
    .missed { fill: #f0883e; }
    .budget { stroke: #e6edf3; }
  }
"""

#: pixels; the left margin is as wide as the longest name, at so much for a character
_CHARACTER, _WIDTH, _RIGHT = 7, 380, 70
_TOP, _STEP, _BOTTOM = 44, 26, 30
_TICKS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class _Scale:
    """From ratios to x coordinates, the first of which is ``left``."""

    def __init__(self, values: Sequence[float], left: int) -> None:
        self.left = left
        self.low = min([0.5, *values]) / 1.15
        self.high = max([2.0, *values]) * 1.15

    def __call__(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.left + _WIDTH * share, 1)

    @property
    def ticks(self) -> list[float]:
        return [each for each in _TICKS if self.low <= each <= self.high]


def plot(verdicts: Sequence[Verdict]) -> str:
    """The ratios that have a budget, each as a bar from 1, with its quartiles and its budget."""
    shown = [each for each in verdicts if isinstance(each.figure, Ratio)]
    values = [value for each in shown for value in (*each.figure.spread, each.budget.at_most)]
    longest = max((len(_name(each)) for each in shown), default=0)
    scale = _Scale(values, _CHARACTER * longest + 20)
    bottom = _TOP + _STEP * len(shown)
    rows = [_row(each, scale, _TOP + _STEP * place) for place, each in enumerate(shown)]
    width, height = scale.left + _WIDTH + _RIGHT, bottom + _BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">'
    )
    title = "Time of ours, divided by the time of what it stands beside: less is better"
    legend = "bar: median; thin line: quartiles; upright mark: the most that the budget allows"
    return "\n".join(
        [
            head,
            f"<title>{title}</title>",
            f"<style>{_STYLE}</style>",
            f'<text x="8" y="18">{title}</text>',
            f'<text class="small" x="8" y="34">{legend}</text>',
            *_grid(scale, bottom),
            *rows,
            "</svg>\n",
        ]
    )


def _name(verdict: Verdict) -> str:
    return f"{verdict.budget.question}: {verdict.figure.name}"


def _grid(scale: _Scale, bottom: int) -> list[str]:
    lines = []
    for tick in scale.ticks:
        x, kind = scale(tick), "one" if tick == 1 else "grid"
        lines.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}"/>')
        label = f'<text class="small" x="{x}" y="{bottom + 16}" text-anchor="middle">'
        lines.append(f"{label}{tick:g}</text>")
    return lines


def _row(verdict: Verdict, scale: _Scale, top: int) -> str:
    figure, spread = verdict.figure, verdict.figure.spread
    middle = top + _STEP // 2
    left, right = sorted((scale(1), scale(spread.median)))
    kind = "figure" if verdict.is_kept else "missed"
    mark, low, high = map(scale, (verdict.budget.at_most, spread.low, spread.high))
    name = escape(_name(verdict))
    end = max(right, mark, high) + 6
    return "\n".join(
        [
            f'<text x="{scale.left - 10}" y="{middle + 4}" text-anchor="end">{name}</text>',
            f'<rect class="{kind}" x="{left}" y="{middle - 7}" width="{max(right - left, 1):.1f}" '
            'height="14" rx="2"/>',
            f'<line class="spread" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}"/>',
            f'<line class="budget" x1="{mark}" x2="{mark}" y1="{middle - 10}" y2="{middle + 10}"/>',
            f'<text class="small" x="{end:.1f}" y="{middle + 4}">'
            f"{in_its_unit(figure, spread.median)}</text>",
        ]
    )
