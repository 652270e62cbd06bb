"""What the subcommands print for people: in colour where rich is, and as wide as the terminal is.

Whatever is printed, a certificate's subject may hold it: texts are shown, never obeyed. A
character that does not print stands there as its escape, and nothing is read as rich's markup.
"""

from __future__ import annotations

import abc
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO, Union

from ..base.printable import printable
from .layout import Style, Styled, fact_lines, rest_lines, table_lines, text_lines

Cell = Union[str, Styled]


class Terminal(abc.ABC):
    """Where a subcommand prints. A text is one line: its line breaks are shown as escapes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_begun = False
        self._unfinished = ""

    def heading(self, text: str) -> None:
        """Begin a section, with an empty line before it unless it is the first thing printed."""
        if self._is_begun:
            self._write_all([[]])
        self._is_begun = True
        self._write_heading(self._shown(text))

    def line(self, text: str = "", style: Style = Style.PLAIN) -> None:
        """One line of text."""
        self._write_all(text_lines(Styled(self._shown(text), style), self._width()))

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Rows under headers, each row with one cell for each header."""
        titles = [Styled(each, Style.TITLE) for each in headers]
        cells = [[self._shown_cell(cell) for cell in row] for row in rows]
        self._write_all(table_lines(titles, cells, self._width()))

    def facts(self, pairs: Iterable[tuple[str, Cell]]) -> None:
        """Names with their values, one pair a line."""
        shown = [(self._shown(name), self._shown_cell(value)) for name, value in pairs]
        self._write_all(fact_lines(shown, self._width()))

    def begin(self, text: str) -> None:
        """The beginning of a line, which is seen at once: its end may take time."""
        self._is_begun = True
        self._unfinished = self._shown(text)
        self._write_unfinished(Styled(self._unfinished, Style.QUIET))

    def end(self, cell: Cell) -> None:
        """The end of the line that was begun."""
        self._write_all(rest_lines(self._unfinished, self._shown_cell(cell), self._width()))

    def _shown(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return printable(text).encode(encoding, "backslashreplace").decode(encoding)

    def _shown_cell(self, cell: Cell) -> Styled:
        style = cell.style if isinstance(cell, Styled) else Style.PLAIN
        return Styled(self._shown(str(cell)), style)

    def _write_all(self, lines: Iterable[Sequence[Styled]]) -> None:
        for line in lines:
            self._is_begun = True
            self._write(line)

    @abc.abstractmethod
    def _width(self) -> int | None:
        """Of a line; ``None``: there is no limit."""

    @abc.abstractmethod
    def _write(self, parts: Sequence[Styled]) -> None: ...

    @abc.abstractmethod
    def _write_unfinished(self, part: Styled) -> None: ...

    @abc.abstractmethod
    def _write_heading(self, text: str) -> None: ...


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
    """No escape sequence, no width to keep."""

    def _width(self) -> int | None:
        return None

    def _write(self, parts: Sequence[Styled]) -> None:
        print("".join(part.text for part in parts).rstrip(), file=self._stream)

    def _write_unfinished(self, part: Styled) -> None:
        print(part.text, end="", file=self._stream, flush=True)

    def _write_heading(self, text: str) -> None:
        self._write([Styled(text, Style.TITLE)])
        self._write([Styled("=" * len(text), Style.PLAIN)])


class _RichTerminal(Terminal):
    """rich's colours; every text goes to it as ``Text``, in which no markup is looked for."""

    def __init__(self, stream: TextIO) -> None:
        """Raises ImportError where rich is not installed."""
        from rich.console import Console

        super().__init__(stream)
        self._console = Console(file=stream, markup=False, highlight=False, emoji=False)

    def _width(self) -> int | None:
        return self._console.width

    def _write(self, parts: Sequence[Styled]) -> None:
        self._print(parts, "\n")

    def _write_unfinished(self, part: Styled) -> None:
        self._print([part], "")
        self._stream.flush()

    def _print(self, parts: Sequence[Styled], end: str) -> None:
        from rich.text import Text

        texts = [(part.text, part.style.value) for part in parts]
        # Left to the terminal to wrap: a path that is copied from it has no line break in it.
        self._console.print(Text.assemble(*texts), soft_wrap=True, end=end)

    def _write_heading(self, text: str) -> None:
        self._write([Styled(text, Style.TITLE)])
