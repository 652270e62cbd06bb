"""Texts keep to a width without a broken word: what goes on stands below where it began."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from mxcert_runtime.cli.layout import Style, Styled, fact_lines, table_lines, text_lines

PATH = "/run/secrets/" + "long-name-" * 10


def plain(text: str) -> Styled:
    """A text without a meaning of its own."""
    return Styled(text, Style.PLAIN)


def shown(lines: Iterable[Sequence[Styled]]) -> list[str]:
    """As it stands on the screen."""
    return ["".join(part.text for part in line).rstrip() for line in lines]


def table(width: int | None) -> list[str]:
    """One with a long text, a short one and a path."""
    headers = [plain("step"), plain("result"), plain("file")]
    rows = [["connect", "the server closed without a word", PATH], ["end", "", "none"]]
    return shown(table_lines(headers, [list(map(plain, row)) for row in rows], width))


def test_a_table_as_wide_as_it_is() -> None:
    """Without a width nothing is wrapped: a header, its rule, and a line for each row."""
    lines = table(None)
    assert 4 == len(lines)
    assert "connect  the server closed without a word  " + PATH == lines[2]
    assert lines[0].index("result") == lines[2].index("the server")


def test_a_table_in_a_narrow_terminal() -> None:
    """Columns give way down to their longest word; each cell goes on in its column."""
    lines = table(40)
    assert "connect  the      " + PATH == lines[2]
    assert ["         server", "         closed", "         without", "         a word"] == lines[
        3:7
    ]
    assert lines[-1].split() == ["end", "none"]


@pytest.mark.parametrize("width", [30, 60, 200])
def test_no_word_is_broken(width: int) -> None:
    """Whatever the width, every word stands there whole, in its order."""
    text = f"- {PATH}: the certificate does not fit its key. Have it issued anew"
    assert text.split() == " ".join(shown(text_lines(plain(text), width))).split()


def test_a_line_goes_on_below_its_beginning() -> None:
    """Behind the bullet, or as far in as the line begins."""
    expected = ["- one two", "  three"]
    assert expected == shown(text_lines(plain("- one two three"), 10))
    assert ["  one two", "  three"] == shown(text_lines(plain("  one two three"), 10))
    assert ["one two", "three"] == shown(text_lines(plain("one two three"), 10))


def test_a_fact_goes_on_below_its_value() -> None:
    """The names stand alone in their column."""
    pairs = [("subject", plain("one two three")), ("key", plain("EC"))]
    expected = ["  subject:  one two", "            three", "  key:      EC"]
    assert expected == shown(fact_lines(pairs, 20))


def test_a_meaning_goes_with_every_line() -> None:
    """What is wrapped is shown in its style to the end."""
    (_, first), (_, second) = text_lines(Styled("one two", Style.BAD), 4)
    assert [Styled("one", Style.BAD), Styled("two", Style.BAD)] == [first, second]
