"""``mxcert check`` with a source: what it shows, and that it runs the command once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.cli import main
from tests.sources.commands import MARK, Printer, source as source_of
from tests.support.pki import Leaf


@pytest.fixture
def configured(printer: Printer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings file that names the command, with an argument that nobody may see."""
    source = source_of([*printer.command, MARK])
    identity = {"name": "printed", "source": source, "hosts": "localhost"}
    (tmp_path / "mxcert.json").write_text(json.dumps({"identity": identity}))
    monkeypatch.setenv("MXCERT_CONFIG", str(tmp_path / "mxcert.json"))


def _check(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    status = main(["check", "--json"])
    written = capsys.readouterr().out
    assert MARK not in written
    report: dict[str, Any] = json.loads(written)
    return status, report


@pytest.mark.usefixtures("configured")
def test_what_it_shows(printer: Printer, alpha: Leaf, capsys: pytest.CaptureFixture[str]) -> None:
    """The identity with its certificate, and of the command the program alone."""
    printer.print_leaf(alpha)
    status, report = _check(capsys)
    assert (0, 1) == (status, printer.runs)
    (identity,) = report["identities"]
    assert alpha.fingerprint == identity["fingerprint"]
    (shown,) = [each["value"] for each in report["settings"] if each["name"] == "identity printed"]
    assert f"the command {printer.command[0]!r}" == shown


@pytest.mark.usefixtures("configured")
def test_what_fails(printer: Printer, capsys: pytest.CaptureFixture[str]) -> None:
    """The twin: a command that prints nothing is an error, and the status says so."""
    printer.content.write_bytes(b"")
    status, report = _check(capsys)
    assert 1 == status
    assert [True] == ["prints nothing" in each["problem"] for each in report["errors"]]
