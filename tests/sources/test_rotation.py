"""A command's identity is rotated by the product's own watching, while a program goes on asking."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from mxcert_runtime import SettingsError, activate, reload
from mxcert_runtime.identity.pulled import PulledSource
from mxcert_runtime.start.watching import watcher
from tests.sources.commands import Printer, settings
from tests.sources.conftest import Ask
from tests.support.pki import Authority, Leaf, now
from tests.support.tls_server import TlsServer

_ROTATIONS = 12
_ATTEMPTS = 10


@pytest.fixture(autouse=True)
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a source it is long ago, so that what it fetches now was due before today."""
    long_ago = now() - timedelta(days=36_500)

    def then(_: PulledSource) -> datetime:
        return long_ago

    monkeypatch.setattr(PulledSource, "now", then)


@pytest.fixture
def kept(server: TlsServer, authority: Authority, tmp_path: Any) -> Iterator[requests.Session]:
    """A session that keeps its connections."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    with requests.Session() as session:
        session.verify = str(tmp_path / "ca.pem")
        yield session


def _look() -> None:
    """Let the next connection look, and what it has fetched be there for the one after it."""
    watcher.look()
    watcher._sources.settle()


def _look_and_ask(session: requests.Session, url: str) -> Any:
    _look()
    return session.get(url, timeout=30).json()["fingerprint"]


def _put_in_force(printer: Printer, leaf: Leaf, **more: Any) -> None:
    printer.print_leaf(leaf)
    activate(settings={**settings(printer.command, "localhost"), "watch": 3600, **more})


def test_each_rotation_is_seen(
    printer: Printer,
    ask: Ask,
    kept: requests.Session,
    server: TlsServer,
    client_authority: Authority,
) -> None:
    """Fresh and kept connections both present what the command printed last."""
    leaves = [client_authority.issue("rotated", server=False) for _ in range(_ROTATIONS)]
    _put_in_force(printer, leaves[0])
    url = f"https://localhost:{server.port}/"
    for leaf in leaves:
        # The last request has had it fetched already: a source is always due here.
        watcher._sources.settle()
        printer.print_leaf(leaf)
        _look()
        seen = {ask(), kept.get(url, timeout=30).json()["fingerprint"]}
        assert {leaf.fingerprint} == seen


def test_a_command_that_breaks_meanwhile(
    printer: Printer, ask: Ask, alpha: Leaf, beta: Leaf, caplog: pytest.LogCaptureFixture
) -> None:
    """The twin: the last good identity stays, one ERROR says so, and the mended one is taken up."""
    caplog.set_level(logging.INFO, "mxcert_runtime")
    _put_in_force(printer, alpha)
    for broken in (b"", b"nothing", beta.pem(), beta.key_pem() + alpha.pem()):
        printer.content.write_bytes(broken)
        _look()
        assert alpha.fingerprint == ask()
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert len(errors) == len(set(errors)) > 0
    assert all("What it gave last stays in use" in each for each in errors)
    watcher._sources.settle()
    printer.print_leaf(beta)
    _look()
    assert beta.fingerprint == ask()
    assert "gives credentials again" in caplog.text


def test_nothing_is_run_where_nobody_watches(
    printer: Printer, ask: Ask, alpha: Leaf, beta: Leaf
) -> None:
    """With ``watch = "off"`` the command is run once, whatever it would print now."""
    _put_in_force(printer, alpha, watch="off")
    printer.print_leaf(beta)
    _look()
    assert (alpha.fingerprint, 1) == (ask(), printer.runs)


@pytest.mark.parametrize("watch", ["off", 3600])
def test_a_reload_that_is_asked_for(
    printer: Printer, ask: Ask, alpha: Leaf, beta: Leaf, watch: Any
) -> None:
    """It runs the command, watched or not; one that fails then raises, and changes nothing."""
    _put_in_force(printer, alpha, watch=watch)
    printer.print_leaf(beta)
    reload()
    assert beta.fingerprint == ask()
    watcher._sources.settle()
    printer.content.write_bytes(b"")
    with pytest.raises(SettingsError, match="prints nothing"):
        reload()
    assert beta.fingerprint == ask()


def test_under_load(
    printer: Printer, server: TlsServer, kept: requests.Session, client_authority: Authority
) -> None:
    """Eight threads go on asking through every rotation: no request fails."""
    leaves = [client_authority.issue("loaded", server=False) for _ in range(_ROTATIONS)]
    known = {each.fingerprint for each in leaves}
    _put_in_force(printer, leaves[0])
    url, seen, failed = f"https://localhost:{server.port}/", set[Any](), list[Exception]()
    is_over = threading.Event()

    def work() -> None:
        with requests.Session() as session:
            session.verify = kept.verify
            while not is_over.is_set():
                try:
                    seen.add(session.get(url, timeout=30).json()["fingerprint"])
                except Exception as error:
                    failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    try:
        for leaf in leaves:
            printer.print_leaf(leaf)
            # What another thread was fetching just then was printed before.
            answers = (_look_and_ask(kept, url) for _ in range(_ATTEMPTS))
            assert leaf.fingerprint in answers
    finally:
        is_over.set()
    for each in threads:
        each.join(60)
    assert ([], True) == (failed, seen <= known)
