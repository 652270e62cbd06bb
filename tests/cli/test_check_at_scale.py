"""``mxcert check`` of many identities: what it comes to first, what is alike once, one by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.cli.check.selection import SECTIONS, select
from mxcert_runtime.cli.check.summary import SUMMARY_NAME, alike
from tests.support.pki import Authority

COUNT = 25
Check = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def folder(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PEM identities that every user may read, one of which no rule gives."""
    entries = []
    for number in range(COUNT):
        leaf = authority.issue(f"client {number}", server=False)
        certificate, key = tmp_path / f"{number}.crt", tmp_path / f"{number}.key"
        certificate.write_bytes(leaf.pem())
        key.write_bytes(leaf.key_pem())
        key.chmod(0o644)
        hosts = [f"h{number}.example"] if number else []
        entry = {"name": f"n{number}", "certificate": str(certificate), "key": str(key)}
        entries.append({**entry, "hosts": hosts})
    settings = {"identity": entries, "unlisted_hosts": "none"}
    (tmp_path / "mxcert.json").write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "mxcert.json").chmod(0o600)
    monkeypatch.setenv("MXCERT_CONFIG", str(tmp_path / "mxcert.json"))
    return tmp_path


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the command with these arguments; gives its exit status and what it prints."""

    def check(*arguments: str) -> tuple[int, str, str]:
        status = main(["check", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return check


def _report(check: Check, *arguments: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(check("--json", *arguments)[1])
    return data


def test_the_summary_comes_first(check: Check) -> None:
    """Counts of everything, by code, and the identity that ends first."""
    _, printed, _ = check()

    lines = printed.splitlines()
    assert "Summary" == lines[0]
    head = " ".join(" ".join(lines[: lines.index("Settings in effect")]).split())
    for told in ("identities: 25", "rules: 24", f"{COUNT} readable-by-others", "expires first: `n"):
        assert told in head


def test_the_summary_alone(check: Check) -> None:
    """Nothing else is printed, and as JSON it is an object of its own."""
    _, printed, _ = check("--summary")
    data = _report(check, "--summary")

    assert "Settings in effect" not in printed
    assert 15 > len(printed.splitlines())
    assert (SUMMARY_NAME, True, COUNT) == (data["schema"], data["ok"], data["identities"])
    assert {"code": "readable-by-others", "count": COUNT} in data["warnings"]
    assert {**_report(check)["summary"]}.items() <= data.items()


def test_like_findings_are_told_once(check: Check) -> None:
    """With their count and some of the others; JSON has each."""
    _, printed, _ = check("--only", "warnings")

    assert 1 == printed.count("`chmod 600`")
    assert f"The same of {COUNT - 1} more: " in printed
    found = [each["code"] for each in _report(check)["warnings"]]
    assert COUNT == found.count("readable-by-others")


def test_few_are_told_apart() -> None:
    """The twin: three of a kind are three, and those with another remedy are of another kind."""
    made = [{"code": "a", "remedy": "r", "origin": str(n)} for n in range(3)]
    other = {"code": "a", "remedy": "s", "origin": "3"}

    assert [(each, 0) for each in [*made, other]] == [each[:2] for each in alike([*made, other])]
    assert [(made[0], 3)] == [each[:2] for each in alike([*made, {**made[0], "origin": "4"}])]


def test_many_identities_are_a_table(check: Check) -> None:
    """One line each; all of one is told by its name."""
    _, printed, _ = check("--only", "identities")

    assert COUNT == sum("CN=client" in line for line in printed.splitlines())
    assert "SHA-256" not in printed


def test_one_identity(check: Check) -> None:
    """What is of it in every section, and nothing of another; the status is that of all."""
    status, printed, _ = check("--identity", "n7")
    data = _report(check, "--identity", "n7")

    assert 0 == status
    assert "SHA-256" in printed
    assert "CN=client 8" not in printed
    assert ["n7"] == [each["name"] for each in data["identities"]]
    assert ["h7.example"] == [each["pattern"] for each in data["rules"]]
    assert {"n7"} == {each["identity"] for each in data["warnings"]}
    assert COUNT == data["summary"]["identities"]


def test_an_identity_that_cannot_be_loaded(folder: Path, check: Check) -> None:
    """It is no wrong use: the error that keeps it out is told."""
    (folder / "7.key").write_text("no key")
    status, printed, told = check("--identity", "n7")
    data = _report(check, "--identity", "n7")

    assert (1, "") == (status, told)
    assert "Not OK" in printed
    assert ([], []) == (data["identities"], data["rules"])
    (error,) = data["errors"]
    assert ("invalid-settings", True) == (error["code"], "7.key" in error["problem"])


def test_a_name_that_goes_on() -> None:
    """The settings of an identity are not those of another whose name begins like its own."""
    rows = [
        {"name": f"identity {name}{part}", "value": "x", "origin": "y"}
        for name in ("a", "a, b")
        for part in ("", ", password", ", ca")
    ]
    identities = [{"name": "a"}, {"name": "a, b"}]
    lists = {**dict.fromkeys(SECTIONS, ()), "settings": rows, "identities": identities}

    assert rows[:3] == select(lists, [], "a")["settings"]
    assert rows[3:] == select(lists, [], "a, b")["settings"]


def test_a_section_that_is_asked_for_twice() -> None:
    """It is shown once."""
    assert ["rules"] == select(dict.fromkeys(SECTIONS, ()), ["rules", "rules"], None)["shown"]


def test_an_unknown_identity(check: Check) -> None:
    """It is wrong use, with the name that was nearly written."""
    status, printed, told = check("--identity", "n77")

    assert (2, "") == (status, printed)
    assert "there is no identity `n77`" in told


def test_only_some_sections(check: Check) -> None:
    """The others are left out; in JSON their lists are empty, and it says so."""
    _, printed, _ = check("--only", "warnings")
    data = _report(check, "--only", "warnings", "--only", "rules")

    assert "Rules, most specific first" not in printed
    assert "Settings in effect" not in printed
    assert ["warnings", "rules"] == data["shown"]
    assert ([], []) == (data["identities"], data["settings"])
    assert data["rules"]
    assert data["warnings"]
