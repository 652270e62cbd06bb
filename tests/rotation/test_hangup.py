"""SIGHUP has the next connection look, where the settings ask for it and nobody else has it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import mxcert_runtime
from tests.rotation.renewal import Renewal
from tests.support.plain_client import fetch

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")


@pytest.fixture(autouse=True)
def default_action() -> Iterator[None]:
    """SIGHUP as a program starts with it, under whatever the tests are run."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def _seen(renewal: Renewal) -> Any:
    return fetch(renewal.scene.url(), renewal.scene.context())["fingerprint"]


@pytest.mark.parametrize("watch", ["off", 86400])
def test_the_next_connection_looks(watch: Any, renewal: Renewal) -> None:
    """Before the signal the old certificate is presented, and after it the new one."""
    renewal.activate(watch=watch, sighup=True)
    for _ in range(2):
        before = renewal.leaf.fingerprint
        leaf = renewal.renew()
        assert before == _seen(renewal)
        os.kill(os.getpid(), signal.SIGHUP)
        assert leaf.fingerprint == _seen(renewal)


def test_it_is_given_back(renewal: Renewal) -> None:
    """After deactivation, or settings without it, it does what it did."""
    renewal.activate(sighup=True)
    assert signal.SIG_DFL is not signal.getsignal(signal.SIGHUP)
    renewal.activate()
    assert signal.SIG_DFL is signal.getsignal(signal.SIGHUP)
    renewal.activate(sighup=True)
    mxcert_runtime.deactivate()
    assert signal.SIG_DFL is signal.getsignal(signal.SIGHUP)


def _own_handler(number: int, frame: Any) -> None:
    """A handler of the program."""


@pytest.mark.parametrize("standing", [signal.SIG_IGN, _own_handler], ids=["ignored", "own"])
def test_somebody_has_it(standing: Any, renewal: Renewal) -> None:
    """A handler of the program stays, and so does one that ignores it, as nohup's."""
    signal.signal(signal.SIGHUP, standing)
    renewal.activate(sighup=True)
    assert standing is signal.getsignal(signal.SIGHUP)
    mxcert_runtime.deactivate()
    assert standing is signal.getsignal(signal.SIGHUP)


def test_a_handler_that_comes_later_stays(renewal: Renewal) -> None:
    """What the program sets afterwards is not taken away at the end."""
    renewal.activate(sighup=True)
    signal.signal(signal.SIGHUP, _own_handler)
    mxcert_runtime.deactivate()
    assert _own_handler is signal.getsignal(signal.SIGHUP)


def test_not_in_the_main_thread(renewal: Renewal, caplog: pytest.LogCaptureFixture) -> None:
    """Where no handler can be set, the settings are in force all the same, and the log says so."""
    thread = threading.Thread(target=renewal.activate, kwargs={"sighup": True})
    thread.start()
    thread.join()
    assert mxcert_runtime.is_active()
    assert "only the main thread" in caplog.text
    assert signal.SIG_DFL is signal.getsignal(signal.SIGHUP)


def test_it_is_said_once(renewal: Renewal, caplog: pytest.LogCaptureFixture) -> None:
    """Renewals say nothing more of a handler that cannot be set."""
    caplog.set_level(logging.INFO, "mxcert_runtime")
    signal.signal(signal.SIGHUP, _own_handler)
    renewal.activate(sighup=True)
    for _ in range(3):
        renewal.renew()
        mxcert_runtime.reload()
    assert 1 == caplog.text.count("a handler of its own")
