"""docs/troubleshooting.md has every alert, and only messages that the code has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from mxcert_runtime.diagnosis.alert_table import ALERTS, LOCAL_FAILURES

from .alert_sections import PAGE, WORDS, with_sections
from .pages import ROOT

DOCUMENT = PAGE.read_text(encoding="utf-8")
#: the first column of a table that was written by hand: a message, or several
_CELL = re.compile(r"^\| (`.+?`) \| ", re.MULTILINE)
#: as Markdown has code with a backtick in it, or without one
_MESSAGE = re.compile(r"`` (.+?) ``|`([^`]+)`")
MESSAGES = [
    spaced or plain
    for cell in _CELL.findall(DOCUMENT.partition("<!-- alerts")[0])
    for spaced, plain in _MESSAGE.findall(cell)
]


def test_alerts_are_those_of_the_code() -> None:
    """To mend it: python -m tests.documents.alert_sections"""
    assert with_sections(DOCUMENT) == DOCUMENT
    with pytest.raises(ValueError, match="marks"):
        with_sections("no marks")


def test_every_failure_has_its_words() -> None:
    """A reader looks for what OpenSSL writes."""
    assert {*ALERTS, *LOCAL_FAILURES} == set(WORDS)
    assert [] == [words for words in WORDS.values() if f"`{words}`" not in DOCUMENT]


def test_words_are_those_of_this_openssl() -> None:
    """As far as this Python has names for them."""
    names = getattr(pytest.importorskip("_ssl"), "err_codes_to_names", {})
    numbers = {alert.name: alert.number for alert in ALERTS.values() if alert.number is not None}
    known = {name: names.get((20, 1000 + number)) for name, number in numbers.items()}
    told = {name: words for name, words in known.items() if words is not None}
    if not told:
        pytest.skip("this Python does not tell the names of OpenSSL's reasons")
    assert {name: WORDS[name] for name in told} == told


@cache
def _texts() -> tuple[str, ...]:
    """Every text of the package, with an ellipsis for what it is filled in with."""
    found: list[str] = []
    for path in (ROOT / "mxcert_runtime").rglob("*.py"):
        found += filter(None, map(_text, ast.walk(ast.parse(path.read_text(encoding="utf-8")))))
    return tuple(found)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each) or "…" for each in node.values)
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return re.sub(r"%s", "…", node.value) if is_text else ""  # type: ignore[attr-defined]


def _is_said(message: str) -> bool:
    return any(message in text for text in _texts())


@pytest.mark.parametrize("message", MESSAGES)
def test_message(message: str) -> None:
    """A message that was reworded has to be reworded here as well."""
    assert _is_said(message)


def test_a_message_that_nobody_says() -> None:
    """The twin; and the tables are really read."""
    assert not _is_said("the moon is not in the settings")
    assert len(MESSAGES) > 30


def test_remedies_can_be_followed() -> None:
    """What is to be installed is named by itself: this package may be on no index."""
    assert [] == [text for text in _texts() if "mxcert-runtime[" in text]
    assert any("`pip install PyYAML`" in text for text in _texts())


def _rows() -> Iterator[list[str]]:
    for line in DOCUMENT.splitlines():
        if line.startswith("| `"):
            yield re.split(r"(?<!\\)\|", line.strip("|"))


def test_every_row_has_meaning_and_remedy() -> None:
    """Three cells, none of them empty."""
    assert [] == [row for row in _rows() if len(row) != 3 or not all(map(str.strip, row))]
