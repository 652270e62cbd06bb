"""The judge of the compatibility table: what it calls right, and what it must not."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.support.tls_listener import TlsListener

from .measuring import Observed, _cell, _control, _judge
from .rows import ROWS
from .scene import Step
from .values import LATE, Cell, Column, Row, Verdict

_SERVER = cast("TlsListener", None)


def _step(column: Column, expected: str | None = None, *, refused: bool = False) -> Step:
    return Step(column, "host.test", _SERVER, expected, refused=refused)


RIGHT: list[tuple[Step, Observed]] = [
    (_step(Column.PINNED, "a"), Observed(None, ["a"], ["a"])),
    # On a connection that is kept, there is no handshake.
    (_step(Column.KEPT, "a"), Observed(None, [], ["a"])),
    # The server has no more to say, and closes.
    (_step(Column.OTHER, "a"), Observed("ConnectionError", ["a", "a"], None)),
    (_step(Column.NONE), Observed(None, [None], [None])),
    (_step(Column.BAD_SERVER, refused=True), Observed("SSLError", [], [])),
]
WRONG: list[tuple[Step, Observed]] = [
    (_step(Column.PINNED, "a"), Observed(None, [None], [None])),
    (_step(Column.PINNED, "a"), Observed(None, ["b"], ["b"])),
    (_step(Column.PINNED, "a"), Observed("SSLError", [], [])),
    (_step(Column.OTHER, "a"), Observed(None, ["a", None], None)),
    (_step(Column.KEPT, "a"), Observed(None, ["a"], ["b"])),
    (_step(Column.NONE), Observed(None, ["a"], ["a"])),
    (_step(Column.BAD_SERVER, refused=True), Observed(None, [], [])),
    (_step(Column.BAD_SERVER, refused=True), Observed("SSLError", ["a"], [])),
    (_step(Column.BAD_SERVER, refused=True), Observed("SSLError", [None], None)),
    (_step(Column.WRONG_NAME, refused=True), Observed("SSLError", ["a"], ["a"])),
]


@pytest.mark.parametrize(("step", "observed"), RIGHT)
def test_right(step: Step, observed: Observed) -> None:
    """Nothing is said of what a server is to see."""
    assert [] == _judge(step, observed)


@pytest.mark.parametrize(("step", "observed"), WRONG)
def test_wrong(step: Step, observed: Observed) -> None:
    """Words are said of all else."""
    words = _judge(step, observed)
    assert 1 == len(words)
    assert LATE not in words


def test_late_name() -> None:
    """A name that the client compares after the handshake, before any request, has its own word."""
    step = _step(Column.WRONG_NAME, refused=True)
    assert [LATE] == _judge(step, Observed("HostnameError", ["a"], []))


def _row(known: dict[Column, str]) -> Row:
    return Row("client", "", known=known)


def test_known() -> None:
    """What is known to be wrong is told as such, and is wrong when it has become right."""
    row = _row({Column.NONE: "do this"})
    assert Cell(Verdict.KNOWN, "do this") == _cell(row, Column.NONE, {Column.NONE: ["it is wrong"]})
    assert Verdict.WRONG is _cell(row, Column.NONE, {Column.NONE: []}).verdict
    assert Verdict.WRONG is _cell(_row({}), Column.NONE, {Column.NONE: ["it is wrong"]}).verdict


def test_control() -> None:
    """A program that shows a certificate without the plugin says nothing about the plugin."""
    assert Verdict.WRONG is _control(_row({}), {Column.PINNED: ["the server saw one"]}).verdict
    assert Verdict.RIGHT is _control(_row({}), {Column.PINNED: []}).verdict


def test_programs() -> None:
    """No program sets anything of client certificates, and no two rows have one name."""
    words: Any = (
        " cert=",
        "(cert=",
        "certfile",
        "keyfile",
        "load_cert_chain",
        "client_cert",
        "sslcert",
    )
    assert [] == [row.name for row in ROWS if any(word in row.program for word in words)]
    assert len(ROWS) == len({row.name for row in ROWS})
    assert len(ROWS) >= 45
