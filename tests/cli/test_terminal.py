"""What is printed for people: text is shown and never obeyed, in a terminal and out of one."""

from __future__ import annotations

import io
import re
import sys

import pytest

from mxcert_runtime.base.printable import printable
from mxcert_runtime.cli.layout import Style, Styled
from mxcert_runtime.cli.terminal import Terminal, open_terminal

#: a subject that would set the window's title, turn the rest around and be bold red, if obeyed
HOSTILE = "CN=\x1b]0;owned\x07 \u202egnp.exe\r\n[bold red]root[/] :warning:"
SHOWN = "CN=\\x1b]0;owned\\x07 \\u202egnp.exe\\r\\n[bold red]root[/] :warning:"
_COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7][0-9;]*m")
_STYLING = re.compile(r"\x1b\[[0-9;]*m")


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary terminal with colours, wide enough for every line."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def screen() -> Screen:
    """A terminal, where rich is installed."""
    pytest.importorskip("rich")
    return Screen()


def fill(terminal: Terminal) -> None:
    """Print one of everything, with the hostile text in each place that takes a text."""
    terminal.heading(HOSTILE)
    terminal.line(HOSTILE, Style.BAD)
    terminal.table(["name", "subject"], [["a", HOSTILE], [HOSTILE, Styled(HOSTILE, Style.GOOD)]])
    terminal.facts([("subject", HOSTILE), (HOSTILE, Styled("short", Style.WARNING))])
    terminal.heading("Next")


def test_plain_text_where_it_is_piped() -> None:
    """Piped, there is no escape sequence, and every text stands there in full on its line."""
    stream = io.StringIO()
    fill(open_terminal(stream))
    assert stream.getvalue().split("\n") == [
        SHOWN,
        "=" * len(SHOWN),
        SHOWN,
        f"{'name'.ljust(len(SHOWN))}  subject",
        f"{'-' * len(SHOWN)}  {'-' * len(SHOWN)}",
        f"{'a'.ljust(len(SHOWN))}  {SHOWN}",
        f"{SHOWN}  {SHOWN}",
        f"  {'subject:'.ljust(len(SHOWN) + 1)}  {SHOWN}",
        f"  {SHOWN}:  short",
        "",
        "Next",
        "====",
        "",
    ]


def test_text_is_never_obeyed_in_a_terminal(screen: Screen) -> None:
    """rich shows markup, emoji names and control characters as they are written."""
    fill(open_terminal(screen))
    written = screen.getvalue()
    assert "\x1b[1m" in written, "the heading is bold, so this is rich"
    assert 7 == _STYLING.sub("", written).count(SHOWN)
    assert set() == {each for each in _STYLING.sub("", written) if not each.isprintable()} - {"\n"}


def test_colour_in_a_terminal(screen: Screen) -> None:
    """A meaning has its colour."""
    open_terminal(screen).line("bad", Style.BAD)
    assert _COLOUR.search(screen.getvalue())


def test_no_color_drops_colour_alone(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR the layout stays what it is."""
    fill(open_terminal(screen))
    monkeypatch.setenv("NO_COLOR", "1")
    colourless = Screen()
    fill(open_terminal(colourless))
    assert None is _COLOUR.search(colourless.getvalue())
    assert _STYLING.sub("", screen.getvalue()) == _STYLING.sub("", colourless.getvalue())


def test_plain_text_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets plain text where rich is not installed."""
    monkeypatch.setitem(sys.modules, "rich.console", None)
    screen, piped = Screen(), io.StringIO()
    fill(open_terminal(screen))
    fill(open_terminal(piped))
    assert piped.getvalue() == screen.getvalue()


def test_a_long_path_is_not_broken(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than the terminal is wide has no line break: it can be copied."""
    monkeypatch.setenv("COLUMNS", "40")
    path = "/run/secrets/" + "long-name-" * 10
    terminal = open_terminal(screen)
    terminal.line(path)
    terminal.facts([("path", path)])
    assert 2 == screen.getvalue().count(path)


def test_characters_that_the_stream_cannot_write() -> None:
    """A stream that is ASCII only gets escapes, and no UnicodeEncodeError."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    open_terminal(stream).line("CN=Zoë")
    stream.seek(0)
    assert "CN=Zo\\xeb\n" == stream.read()


def test_a_process_without_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no stdout, nothing is printed and nothing raises."""
    monkeypatch.setattr(sys, "stdout", None)
    fill(open_terminal())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain Zoë 漢", "plain Zoë 漢"),
        ("\x00\x9b\x7f", "\\x00\\x9b\\x7f"),
        ("a\u2028b\u200dc\ud800", "a\\u2028b\\u200dc\\ud800"),
    ],
)
def test_printable(text: str, expected: str) -> None:
    """What prints stays; all else is an escape."""
    assert expected == printable(text)
