"""Lays texts out in columns and lines of some width, with hanging indents; no word is broken.

What is longer than its place, such as a path or a fingerprint, stands out: it can be copied.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import zip_longest

from ..base import dataclass

_GAP = "  "
_BULLET = "- "


class Style(Enum):
    """What a text means; the value is how rich shows it."""

    PLAIN = ""
    TITLE = "bold"
    GOOD = "green"
    WARNING = "yellow"
    BAD = "bold red"
    QUIET = "dim"


@dataclass(frozen=True)
class Styled:
    """A cell or value with a meaning of its own."""

    text: str
    style: Style

    def __str__(self) -> str:
        return self.text


_NOTHING = Styled("", Style.PLAIN)


def table_lines(
    headers: Sequence[Styled], rows: Sequence[Sequence[Styled]], width: int | None
) -> Iterator[list[Styled]]:
    """The lines of a table with its headers and a rule below them; ``None``: as wide as it is."""
    widths = _column_widths([headers, *rows], width)
    rule = [Styled("-" * each, Style.PLAIN) for each in widths]
    for row in (headers, rule, *rows):
        wrapped = [_wrap(cell, each) for cell, each in zip(row, widths)]
        for cells in zip_longest(*wrapped, fillvalue=_NOTHING):
            # The last is not filled up: its blanks could be what the line has no room for.
            *begun, last = cells
            yield [*(_padded(cell, each) for cell, each in zip(begun, widths)), last]


def fact_lines(pairs: Sequence[tuple[str, Styled]], width: int | None) -> Iterator[list[Styled]]:
    """Names with their values; what goes on is below the beginning of the value."""
    longest = max((len(name) for name, _ in pairs), default=0) + 1
    for name, value in pairs:
        label = f"{_GAP}{f'{name}:'.ljust(longest)}{_GAP}"
        for part in _wrap(value, None if width is None else width - len(label)):
            yield [Styled(label, Style.QUIET), part]
            label = " " * len(label)


def text_lines(text: Styled, width: int | None) -> Iterator[list[Styled]]:
    """One text; what goes on is below its beginning, behind a bullet if there is one."""
    begun = text.text[: len(text.text) - len(text.text.lstrip())]
    begun += _BULLET if text.text[len(begun) :].startswith(_BULLET) else ""
    indent = " " * len(begun)
    rest = Styled(text.text[len(begun) :], text.style)
    for part in _wrap(rest, None if width is None else width - len(begun)):
        yield [Styled(begun, text.style), part]
        begun = indent


def rest_lines(begun: str, text: Styled, width: int | None) -> Iterator[list[Styled]]:
    """What follows on a line that is begun; what goes on is below the beginning of it."""
    indent = ""
    for part in _wrap(text, None if width is None else width - len(begun)):
        yield [Styled(indent, Style.PLAIN), part]
        indent = " " * len(begun)


def _column_widths(rows: Sequence[Sequence[Styled]], width: int | None) -> list[int]:
    """The widest first gives way, down to its longest word, until all are no wider than that."""
    columns = list(zip(*rows))
    widths = [max(len(cell.text) for cell in column) for column in columns]
    least = [max(_longest_word(cell.text) for cell in column) for column in columns]
    room = None if width is None else width - len(_GAP) * (len(widths) - 1)
    while room is not None and sum(widths) > room:
        wide = [place for place, each in enumerate(widths) if each > least[place]]
        if not wide:
            break
        widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _wrap(text: Styled, width: int | None) -> list[Styled]:
    if width is None or len(text.text) <= width:
        return [text]
    parts = textwrap.wrap(text.text, max(width, 1), break_long_words=False, break_on_hyphens=False)
    return [Styled(part, text.style) for part in parts] or [text]


def _padded(cell: Styled, width: int) -> Styled:
    return Styled(cell.text.ljust(width) + _GAP, cell.style)
