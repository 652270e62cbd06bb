"""What the subcommands print for people: laid out by rich in a terminal, plain text anywhere else.

Whatever is printed, a certificate's subject may hold it: texts are shown, never obeyed. A
character that does not print stands there as its escape, and nothing is read as rich's markup.
"""

from __future__ import annotations

import abc
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TextIO, Union

from ..base.printable import printable

_GAP = "  "


class Style(Enum):
    """What a text means; the value is how rich shows it."""

    PLAIN = ""
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


Cell = Union[str, Styled]


class Terminal(abc.ABC):
    """Where a subcommand prints. A text is one line: its line breaks are shown as escapes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_begun = False

    def heading(self, text: str) -> None:
        """Begin a section, with an empty line before it unless it is the first thing printed."""
        if self._is_begun:
            self._print_blank()
        self._is_begun = True
        self._print_heading(self._shown(text))

    def line(self, text: str = "", style: Style = Style.PLAIN) -> None:
        """One line of text."""
        self._is_begun = True
        self._print_line(self._shown(text), style)

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Rows under headers, each row with one cell for each header."""
        self._is_begun = True
        self._print_table(headers, [[self._shown_cell(cell) for cell in row] for row in rows])

    def facts(self, pairs: Iterable[tuple[str, Cell]]) -> None:
        """Names with their values, one pair a line."""
        self._is_begun = True
        shown = [(self._shown(name), self._shown_cell(value)) for name, value in pairs]
        if shown:
            self._print_facts(shown)

    def _shown(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return printable(text).encode(encoding, "backslashreplace").decode(encoding)

    def _shown_cell(self, cell: Cell) -> Styled:
        style = cell.style if isinstance(cell, Styled) else Style.PLAIN
        return Styled(self._shown(str(cell)), style)

    @abc.abstractmethod
    def _print_blank(self) -> None: ...

    @abc.abstractmethod
    def _print_heading(self, text: str) -> None: ...

    @abc.abstractmethod
    def _print_line(self, text: str, style: Style) -> None: ...

    @abc.abstractmethod
    def _print_table(self, headers: Sequence[str], rows: list[list[Styled]]) -> None: ...

    @abc.abstractmethod
    def _print_facts(self, pairs: list[tuple[str, Styled]]) -> None: ...


def open_terminal(stream: TextIO | None = None) -> Terminal:
    """The terminal for a stream, by default for stdout.

    rich is used where it is installed (the extra ``cli``) and the stream is a terminal. It reads
    ``NO_COLOR`` (layout without colour), ``TERM`` and the terminal's width by itself.
    """
    target = sys.stdout if stream is None else stream
    # A process without stdout has None there, to which print() prints nothing.
    if not getattr(target, "isatty", bool)():
        return _PlainTerminal(target)
    try:
        return _RichTerminal(target)
    except ImportError:
        return _PlainTerminal(target)


def shown_moment(text: str) -> str:
    """A moment in UTC as people write it, to the minute, from its ISO 8601 text."""
    return f"{text[:16].replace('T', ' ')} UTC"


class _PlainTerminal(Terminal):
    """Columns of spaces, no escape sequence, no width to keep."""

    def _print(self, text: str) -> None:
        print(text.rstrip(), file=self._stream)

    def _print_blank(self) -> None:
        self._print("")

    def _print_heading(self, text: str) -> None:
        self._print(text)
        self._print("=" * len(text))

    def _print_line(self, text: str, style: Style) -> None:
        self._print(text)

    def _print_table(self, headers: Sequence[str], rows: list[list[Styled]]) -> None:
        lines = [list(headers), *([cell.text for cell in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines)]
        lines.insert(1, ["-" * width for width in widths])
        for line in lines:
            self._print(_GAP.join(cell.ljust(width) for cell, width in zip(line, widths)))

    def _print_facts(self, pairs: list[tuple[str, Styled]]) -> None:
        width = max(len(name) for name, _ in pairs) + 1
        for name, value in pairs:
            self._print(f"{_GAP}{f'{name}:'.ljust(width)}{_GAP}{value.text}")


class _RichTerminal(Terminal):
    """rich's layout; every text goes to it as ``Text``, in which no markup is looked for."""

    def __init__(self, stream: TextIO) -> None:
        """Raises ImportError where rich is not installed."""
        from rich.console import Console

        super().__init__(stream)
        self._console = Console(file=stream, markup=False, highlight=False, emoji=False)

    def _print(self, *texts: tuple[str, str]) -> None:
        from rich.text import Text

        # Left to the terminal to wrap: a path that is copied from it has no line break in it.
        self._console.print(Text.assemble(*texts), soft_wrap=True)

    def _print_blank(self) -> None:
        self._print(("", ""))

    def _print_heading(self, text: str) -> None:
        self._print((text, "bold"))

    def _print_line(self, text: str, style: Style) -> None:
        self._print((text, style.value))

    def _print_table(self, headers: Sequence[str], rows: list[list[Styled]]) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        for header in headers:
            table.add_column(Text(header), overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell.text, cell.style.value) for cell in row))
        self._console.print(table)

    def _print_facts(self, pairs: list[tuple[str, Styled]]) -> None:
        width = max(len(name) for name, _ in pairs) + 1
        for name, value in pairs:
            label = f"{_GAP}{f'{name}:'.ljust(width)}{_GAP}"
            self._print((label, "dim"), (value.text, value.style.value))
