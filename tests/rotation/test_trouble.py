"""What is broken is told once it is no passing state, again each hour, and when it is mended."""

from __future__ import annotations

import logging
import time

import pytest

import mxcert_runtime
from mxcert_runtime.errors import Fault
from mxcert_runtime.monitoring import reloads
from mxcert_runtime.start import trouble
from mxcert_runtime.start.trouble import PATIENCE, REPETITION, Trouble
from tests.rotation.renewal import Renewal
from tests.rotation.test_watching import ALWAYS
from tests.support.plain_client import fetch

FAULT = Fault("/run/secrets/own.crt", "is no certificate", "Replace it")
OTHER = Fault("/run/secrets/own.key", "does not fit", "Replace it")


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "mxcert_runtime")
    return caplog


def _levels(log: pytest.LogCaptureFixture) -> list[int]:
    return [each.levelno for each in log.records]


def test_a_passing_state_is_not_told(clock: Clock, log: pytest.LogCaptureFixture) -> None:
    """What was changed just now is waited for; once it is sound, nothing was ever the matter."""
    found = Trouble(clock)
    found.note((FAULT,), time.time())
    clock.now += PATIENCE - 1
    found.remind()
    found.note((), time.time())
    assert [] == _levels(log)


def test_what_stays_broken_is_told(clock: Clock, log: pytest.LogCaptureFixture) -> None:
    """After that it is an error, with the file and the fault, and only one."""
    found = Trouble(clock)
    found.note((FAULT,), time.time())
    clock.now += PATIENCE
    for _ in range(3):
        found.remind()
    assert [logging.ERROR] == _levels(log)
    assert str(FAULT) in log.messages[0]


def test_what_was_broken_long_ago_is_told_at_once(
    clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    """A program that was idle while it was written finds it as it is."""
    Trouble(clock).note((FAULT,), time.time() - PATIENCE)
    assert [logging.ERROR] == _levels(log)


def test_each_hour(clock: Clock, log: pytest.LogCaptureFixture) -> None:
    """It is told again after an hour, and not before."""
    found = Trouble(clock)
    found.note((FAULT,), 0.0)
    clock.now += REPETITION - 1
    found.remind()
    assert 1 == len(log.records)
    clock.now += 1
    found.remind()
    assert [logging.ERROR] * 2 == _levels(log)


def test_another_fault_is_told(clock: Clock, log: pytest.LogCaptureFixture) -> None:
    """Another fault does not wait for the hour of the first."""
    found = Trouble(clock)
    for fault in (FAULT, FAULT, OTHER):
        found.note((fault,), 0.0)
    assert [str(FAULT), str(OTHER)] == [each.split(": ", 1)[1] for each in log.messages]


def test_mended(clock: Clock, log: pytest.LogCaptureFixture) -> None:
    """Once it is mended that is said, once."""
    found = Trouble(clock)
    found.note((FAULT,), 0.0)
    for _ in range(2):
        found.note((), 0.0)
    assert [logging.ERROR, logging.INFO] == _levels(log)


def test_the_whole_way(
    renewal: Renewal, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken file: the server sees the last good certificate, the log and the metrics say why."""
    monkeypatch.setattr(trouble, "PATIENCE", 0.0)
    renewal.activate(watch=ALWAYS)
    scene, context = renewal.scene, renewal.scene.context()
    log.clear()
    renewal.path(".crt").write_text("no certificate")
    for _ in range(3):
        assert scene.alpha.fingerprint == fetch(scene.url(), context)["fingerprint"]
    told = [each.getMessage() for each in log.records if each.levelno == logging.ERROR]
    assert 1 == len(told)
    assert str(renewal.path(".crt")) in told[0]
    last = mxcert_runtime.metrics()["last_reload"]
    assert ("failed", 1) == (last["outcome"], len(last["faults"]))
    leaf = renewal.renew()
    assert leaf.fingerprint == fetch(scene.url(), context)["fingerprint"]
    assert "what has changed can be used again" in log.messages
    assert "applied" == mxcert_runtime.metrics()["last_reload"]["outcome"]


def test_another_renewal_meanwhile(
    renewal: Renewal, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one identity is broken the renewal of another does not say that all is well."""
    monkeypatch.setattr(trouble, "PATIENCE", 0.0)
    renewal.activate(watch=ALWAYS)
    scene, context = renewal.scene, renewal.scene.context()
    renewal.path(".crt", "steady").write_text("no certificate")
    fetch(scene.url(), context)
    leaf = renewal.renew()
    assert leaf.fingerprint == fetch(scene.url(), context)["fingerprint"]
    last = reloads.last
    assert last is not None
    assert ("applied", 1, False) == (last.outcome, len(last.faults), last.succeeded)
    renewal.write(scene.beta, "steady")
    fetch(scene.url(), context)
    assert reloads.last is not None
    assert reloads.last.succeeded
