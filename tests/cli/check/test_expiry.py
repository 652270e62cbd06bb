"""``mxcert check``: what has expired, or will before long, and how long that is."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.cli.durations import parse_duration
from tests.cli.check.settings import DAY, Report, codes, use
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, now


@pytest.mark.parametrize(
    ("left", "arguments", "expected"),
    [
        (29 * DAY, [], ["expires-soon"]),
        (31 * DAY, [], []),
        (31 * DAY, ["--expires-within", "6w"], ["expires-soon"]),
        (29 * DAY, ["--expires-within", "12h"], []),
        (-DAY, ["--expires-within", "0"], ["expired"]),
    ],
)
def test_expiry(
    report: Report,
    client_files: ClientFiles,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    left: datetime.timedelta,
    arguments: Sequence[str],
    expected: list[str],
) -> None:
    """What has expired, or will before long, is an error."""
    intermediate = client_authority.intermediate()
    leaf = intermediate.issue("dated", not_before=now() - 2 * DAY, not_after=now() + left)
    use(monkeypatch, client_files, **client_files.variables(leaf))
    status, data = report(*arguments)
    assert (bool(expected), expected) == (bool(status), codes(data))


def test_refused_expiry_is_told_once(
    report: Report,
    client_files: ClientFiles,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the settings refuse expired identities, an expired one is one error and not two."""
    leaf = client_authority.intermediate().issue(
        "old", not_before=now() - 2 * DAY, not_after=now() - DAY
    )
    variables = client_files.variables(leaf)
    use(monkeypatch, client_files, MXCERT_EXPIRED_IDENTITIES="refuse", **variables)
    status, data = report()
    assert (1, ["invalid-settings"]) == (status, codes(data))


DURATIONS = [("30d", 30 * DAY), ("12h", DAY / 2), ("2w", 14 * DAY), ("30", 30 * DAY), (" 1D ", DAY)]


@pytest.mark.parametrize(("text", "expected"), DURATIONS)
def test_durations(text: str, expected: datetime.timedelta) -> None:
    """Hours, days, weeks; a plain number is days."""
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "30x", "1.5d", "999999d", "30 days", "\x1b[31m"]
)
def test_wrong_durations(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong duration is wrong use, and the message says how to write one."""
    with pytest.raises(SystemExit) as raised:
        main(["check", f"--expires-within={text}"])
    printed = capsys.readouterr()
    assert (2, "") == (raised.value.code, printed.out)
    assert f"{text!r} is no duration" in printed.err
    assert "30d" in printed.err
    assert "\x1b" not in printed.err
