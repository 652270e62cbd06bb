"""What counts as a difference between CPython's suites without and with the plugin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cpython import suites
from tests.cpython.expected import EXPECTED
from tests.support.expected_differences import Expected, explanation, outdated
from tests.support.outcome_comparison import Difference, differences, lasting
from tests.support.outcomes import RUN, Outcome, Run, parse
from tests.support.plugin_modes import BARE, Mode, plugin_modes

PLUGIN = Mode("offer", {"MXCERT_CLIENT_CERTIFICATES": "/run/client.p12"})


def _run(mode: Mode, **outcomes: str) -> Run:
    return Run("test_x", mode, {test: Outcome(name) for test, name in outcomes.items()}, 0.0)


def _lines(*events: tuple[str, str]) -> list[str]:
    return [json.dumps({"test": test, "outcome": name, "text": ""}) for test, name in events]


def _difference(test: str, text: str = "") -> Difference:
    return Difference("test_x", "offer", test, Outcome("ok"), Outcome("fail", text))


def test_the_same_failure_is_no_difference() -> None:
    """A test that fails without the plugin too is not held against it."""
    runs = [_run(BARE, a="fail", b="ok"), _run(PLUGIN, a="fail", b="ok")]
    assert [] == differences(runs)


@pytest.mark.parametrize("name", ["fail", "error", "skip", "expected failure"])
def test_another_outcome_is_a_difference(name: str) -> None:
    """A test that passes without the plugin and does not pass with it is a difference."""
    [found] = differences([_run(BARE, a="ok", b="ok"), _run(PLUGIN, a=name, b="ok")])
    assert ("a", "ok", name) == (found.test, found.without.name, found.with_plugin.name)


def test_a_test_that_vanishes_is_a_difference() -> None:
    """A run that the plugin ends early does not hide the tests behind its end."""
    [found] = differences([_run(BARE, a="ok", b="ok"), _run(PLUGIN, a="ok")])
    assert ("b", "not run") == (found.test, found.with_plugin.name)


def test_a_difference_says_both_outcomes_and_the_traceback() -> None:
    """The report of a difference is enough to start from."""
    text = str(_difference("a", "Traceback: there\n"))
    assert "a, mode offer: ok without the plugin, fail with\nTraceback: there" == text


def test_only_what_every_retry_shows_lasts() -> None:
    """A flaky test is forgiven when one retry shows no difference."""
    retries = iter([[_difference("a"), _difference("b")], [_difference("b"), _difference("c")]])
    found = [_difference("a"), _difference("b")]
    assert [_difference("b")] == lasting(found, lambda differing: next(retries))


def test_nothing_is_retried_without_a_difference() -> None:
    """A run without differences costs no retry."""

    def again(differing: Sequence[Difference]) -> list[Difference]:
        raise AssertionError("retried")

    assert [] == lasting([], again)


@pytest.mark.parametrize("entry", EXPECTED, ids=lambda entry: entry.test.split(".")[-1])
def test_an_expected_difference_is_one_failure_and_no_other(entry: Expected) -> None:
    """An entry explains the failure that it names, and nothing else that its test may find."""
    named = [_difference(entry.test, f"x {fragment}") for fragment in entry.fragments]
    assert all(explanation(each, EXPECTED) is entry for each in named)
    assert explanation(_difference(entry.test, "something else"), EXPECTED) is None
    assert explanation(_difference("another test", entry.fragments[0]), EXPECTED) is None


def test_an_expected_difference_that_is_gone_is_out_of_date() -> None:
    """An entry must leave the list with its reason, and not wait there for another failure."""
    entry = EXPECTED[0]
    runs = [_run(BARE, **{entry.test: "ok"}), _run(PLUGIN, **{entry.test: "ok"})]
    assert [entry] == outdated(runs, [], EXPECTED)
    assert [] == outdated(runs, [_difference(entry.test)], EXPECTED)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([("a", "started"), ("a", "ok")], "ok"),
        ([("a", "started"), ("a", "fail"), ("a", "ok")], "fail"),
        ([("a", "started"), ("a", "ok"), ("a", "error")], "error"),
        ([("a", "started"), ("a", "fail"), ("a", "error")], "fail"),
        ([("a", "started")], "started"),
        ([("a", "skip")], "skip"),
    ],
)
def test_the_first_report_that_is_not_ok_stands(
    events: list[tuple[str, str]], expected: str
) -> None:
    """A subtest or a tear-down that fails decides, and a crash leaves the test started."""
    assert {"a": Outcome(expected)} == parse(_lines(*events))


def test_every_mode_but_the_bare_one_has_settings(tmp_path: Path) -> None:
    """The modes with the plugin name files that exist; the bare one gives it nothing to do."""
    modes = plugin_modes(tmp_path)
    listed = [mode.settings["MXCERT_CLIENT_CERTIFICATES"].split(",") for mode in modes]
    assert not BARE.plugin
    assert all(mode.plugin for mode in modes)
    assert all(Path(path).exists() for paths in listed for path in paths)


def test_a_suite_that_is_not_there_is_an_error() -> None:
    """A misspelt suite does not pass for one without tests."""
    done = suites.run("test_that_is_not_there", BARE)
    assert ["error"] == [outcome.name for outcome in done.outcomes.values()]


def test_a_suite_that_never_started_is_reported() -> None:
    """A plugin that refuses its settings leaves no tests, and that is not silence."""
    broken = Mode("broken", {"MXCERT_CLIENT_CERTIFICATES": "/nowhere/client.p12"})
    done = suites.run("test_httplib", broken)
    assert {RUN: "exit status 1"} == {test: each.name for test, each in done.outcomes.items()}
