"""What is compared of other libraries' suites, and that a difference is not hidden."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.suites import __main__ as command, comparing
from tests.suites.comparing import Compared, compare
from tests.suites.preparing import is_wanted
from tests.suites.reporting import DOCUMENT, as_document, in_words
from tests.suites.rows import SUITES
from tests.suites.running import run
from tests.suites.values import Suite
from tests.support.outcome_comparison import differences
from tests.support.outcomes import RUN, Outcome, Run
from tests.support.plugin_modes import BARE, Mode, plugin_modes

pytestmark = pytest.mark.any_python

PLUGIN = Mode("offer", {"MXCERT_CLIENT_CERTIFICATES": "/run/client.p12"})


@pytest.fixture(autouse=True)
def _without_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else is installed beside pytest takes no time."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


class _Suite(Suite):
    """A suite in a folder, run by this very interpreter."""

    @property
    def environment(self) -> Any:
        return SimpleNamespace(python=sys.executable, folder=Path(self.unpacked[0]))


def _suite(folder: Path, text: str, **more: Any) -> _Suite:
    source = folder / "source"
    source.mkdir()
    (source / "test_theirs.py").write_text(text)
    return _Suite("theirs", "theirs", (str(folder),), (".",), **more)


def _names(found: Run) -> dict[str, str]:
    return {test.partition("::")[2]: outcome.name for test, outcome in found.outcomes.items()}


OUTCOMES = """
import pytest

def test_ok(): pass
def test_fail(): assert not "so"
def test_skip(): pytest.skip("today")

@pytest.mark.xfail
def test_xfail(): assert not "so"

@pytest.mark.xfail
def test_xpass(): pass

@pytest.fixture
def broken():
    raise ValueError("broken")

def test_error(broken): pass

@pytest.mark.parametrize("value", [object(), __file__], ids=str)
def test_address(value): pass
"""


def test_every_outcome_is_recorded_by_the_id_of_its_test(tmp_path: Path) -> None:
    """What a test came to is told apart, and its id is the same in every run."""
    found = run(_suite(tmp_path, OUTCOMES), BARE)
    expected = {"test_ok": "ok", "test_fail": "fail", "test_skip": "skip", "test_error": "error"}
    addresses = {
        "test_address[<object object at 0x>]": "ok",
        "test_address[./test_theirs.py]": "ok",
    }
    either = {"test_xfail": "xfail", "test_xpass": "xfail"}
    assert {**expected, **either, **addresses} == _names(found)


def test_only_the_tests_that_are_asked_for_are_run(tmp_path: Path) -> None:
    """What differs is run again by itself, and not behind what is left out."""
    left_out = (("test_ok", "a reason"),)
    suite = _suite(tmp_path, OUTCOMES, left_out=left_out)
    assert "test_ok" not in _names(run(suite, BARE))
    assert {"test_skip": "skip"} == _names(run(suite, BARE, ["test_theirs.py::test_skip"]))


def test_a_suite_that_cannot_be_collected_is_an_outcome(tmp_path: Path) -> None:
    """A file that fails at its import does not pass for one without tests."""
    found = run(_suite(tmp_path, "raise ValueError('at its import')"), BARE)
    assert {"error", "exit status 2"} == {outcome.name for outcome in found.outcomes.values()}


def test_a_suite_that_hangs_is_ended_and_reported(tmp_path: Path) -> None:
    """A run that the plugin brings to a stop is a difference, and not a wait without an end."""
    endless = "import threading\ndef test_waits(): threading.Event().wait()"
    found = run(_suite(tmp_path, endless, seconds=1.0), BARE)
    assert "not done after 1 s" == found.outcomes[RUN].name


TLS = """
import os, ssl

def test_without():
    assert "MXCERT_AUTOSTART" not in os.environ

def test_connects():
    bios = ssl.MemoryBIO(), ssl.MemoryBIO()
    ssl.create_default_context().wrap_bio(*bios, server_hostname="localhost")
"""


def test_the_plugin_is_at_work_in_its_runs_only(tmp_path: Path) -> None:
    """Autostart alone tells the runs apart, and how much the plugin decided on is told."""
    (tmp_path / "identities").mkdir()
    _, rules = plugin_modes(tmp_path / "identities")
    suite = _suite(tmp_path, TLS)
    runs = [run(suite, BARE), run(suite, rules)]
    assert [0, 1] == [each.connections for each in runs]
    assert ["test_theirs.py::test_without"] == [each.test for each in differences(runs)]


def test_a_run_whose_plugin_is_not_at_work_is_no_comparison(tmp_path: Path) -> None:
    """Settings that are refused end the run, which is reported."""
    found = run(_suite(tmp_path, OUTCOMES), Mode("broken", {"MXCERT_CLIENT_CERTIFICATES": "/no"}))
    assert RUN in found.outcomes
    assert "test_ok" not in _names(found)


# --- what is a finding ---------------------------------------------------------------------------


def _compared(monkeypatch: pytest.MonkeyPatch, *endings: str, connections: int = 1) -> Compared:
    """A suite of one test; ``endings`` are those with the plugin, the last for all runs after."""
    left = list(endings)

    def ended(suite: Suite, mode: Mode, tests: object = ()) -> Run:
        name = "ok"
        if mode.plugin:
            name = left.pop(0) if len(left) > 1 else left[0]
        counted = connections if mode.plugin else 0
        return Run(suite.name, mode, {"a.py::test": Outcome(name)}, 1.0, counted)

    monkeypatch.setattr(comparing, "run", ended)
    return compare(SUITES[0], [BARE, PLUGIN])


def test_what_ends_the_same_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """No difference, no finding, and nothing is run again."""
    compared = _compared(monkeypatch, "ok")
    assert compared.right
    assert ["httpcore: right"] == list(in_words(compared))


def test_what_differs_once_is_unsteady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that ends alike when it is run again is named, and fails nothing."""
    compared = _compared(monkeypatch, "fail", "ok")
    assert ["a.py::test"] == [each.test for each in compared.unsteady]
    assert compared.right


def test_what_differs_each_time_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference that recurs without an entry fails the run, and is printed with both ends."""
    compared = _compared(monkeypatch, "fail")
    assert not compared.right
    told = "\n".join(in_words(compared))
    assert "DIFFERENT: a.py::test, mode offer: ok without" in told


def test_what_differs_only_behind_other_tests_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leak shows in whole runs only: by itself the test ends alike, behind the others not."""
    compared = _compared(monkeypatch, "fail", "ok", "fail")
    assert ["a.py::test"] == [each.test for each in compared.unexplained]


def test_a_suite_without_a_connection_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the plugin had nothing to decide on, nothing was compared."""
    compared = _compared(monkeypatch, "ok", connections=0)
    assert compared.void
    assert not compared.right


# --- rows and the document -----------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_each_suite_has_its_row_in_the_document(suite: Suite) -> None:
    """The document is of these versions, and says every reason that an entry has."""
    text = DOCUMENT.read_text(encoding="utf-8")
    reasons = [reason for _, reason in suite.left_out]
    reasons += [entry.reason for entry in suite.expected]
    assert f"| {suite.distribution} | {suite.version} |" in text
    assert [] == [reason for reason in reasons if reason not in text]


def test_the_document_is_made_of_what_was_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row has the version, what passed and how much was decided; other rows stand."""
    before = "| httpcore | 0.1 | old |\n| requests | 2 | kept |\n"
    text = as_document([_compared(monkeypatch, "ok")], before)
    assert f"| httpcore | {SUITES[0].version} | 1 | 0 | 0 | 1 | 0 | 0 | " in text
    assert "| requests | 2 | kept |\n" in text
    assert "| - | not yet |" in text
    assert "0.1" not in text


def test_only_what_is_named_is_unpacked() -> None:
    """The library in its own source does not stand before the one that is installed."""
    named = Suite("x", "x", ("tests", "pyproject.toml"), ())
    inside = ["x-1/tests", "x-1/tests/test_a.py", "x-1/pyproject.toml"]
    outside = ["x-1", "x-1/x/__init__.py", "x-1/tests2/a.py", "x-1/x/tests/a.py"]
    assert inside == [name for name in (*inside, *outside) if is_wanted(name, named)]


def test_a_suite_that_does_not_exist_is_refused() -> None:
    """A misspelt name does not pass for a suite without differences."""
    with pytest.raises(SystemExit, match="no such suite: httpcoer"):
        command.main(["httpcoer"])
