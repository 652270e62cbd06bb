"""Sources while settings are in force: refreshed before expiry, and the last good one kept."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import activate, metrics, reload
from mxcert_runtime.decisions import in_force
from mxcert_runtime.errors import IdentityError
from mxcert_runtime.identity.source import Credentials
from mxcert_runtime.identity.sources import IdentitySettings, SourceMaterial, sources_of
from mxcert_runtime.sources import IdentityProblem
from mxcert_runtime.start.source_watch import SourceWatch
from tests.identity.material import ORIGIN
from tests.sources.commands import Printer, program, settings
from tests.sources.conftest import Ask
from tests.support.pki import Authority, Leaf, now


class Clocks:
    """The two clocks of a watch, which the test sets."""

    def __init__(self) -> None:
        self.now = now()
        self.seconds = 0.0

    def advance(self, by: timedelta) -> None:
        """Let time go by on both."""
        self.now += by
        self.seconds += by.total_seconds()


class Pushing:
    """A source that says by itself when there is something new."""

    def __init__(self) -> None:
        self.watching: list[int] = []
        self.ended: list[int] = []
        self.changed: Callable[[], None] | None = None

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Remember whom to call."""
        self.watching.append(os.getpid())
        self.changed = changed
        return lambda: self.ended.append(os.getpid())

    def due(self) -> None:
        """Never."""

    def read(self) -> Credentials:
        """Nothing that anybody asks for here."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Nobody asks a source to that is never due."""
        raise NotImplementedError

    def files(self) -> tuple[str, ...]:
        """None."""
        return ()

    def shown(self) -> str:
        """Its name."""
        return "a pushing source"


@pytest.fixture
def clocks() -> Clocks:
    """Both at their beginning."""
    return Clocks()


@pytest.fixture
def calls() -> list[str]:
    """What the watch was told."""
    return []


@pytest.fixture
def watch(clocks: Clocks, calls: list[str]) -> SourceWatch:
    """A watch by these clocks, of nothing yet."""
    return SourceWatch(lambda: calls.append("changed"), lambda: clocks.now, lambda: clocks.seconds)


def identity(source: Any) -> IdentitySettings:
    """Settings of one identity that comes from a source."""
    return IdentitySettings("x", SourceMaterial(source), None, ORIGIN)


def _in_force() -> tuple[IdentitySettings, ...]:
    assert in_force.current is not None
    return in_force.current.settings.identities


def _short(issuer: Authority, life: timedelta = timedelta(hours=1)) -> Leaf:
    return issuer.issue("short", not_before=now(), not_after=now() + life, server=False)


def _write_aside(fifo: Path, leaf: Leaf) -> threading.Thread:
    """Let a command that reads from a pipe have a leaf, as soon as it asks."""
    thread = threading.Thread(target=fifo.write_bytes, args=(leaf.key_pem() + leaf.pem(),))
    thread.start()
    return thread


class TestPulled:
    def test_renewed_before_its_end(
        self,
        printer: Printer,
        ask: Ask,
        watch: SourceWatch,
        clocks: Clocks,
        calls: list[str],
        client_authority: Authority,
    ) -> None:
        """A command is run again before the certificate ends, and the server sees the next one."""
        first, second = _short(client_authority), _short(client_authority, timedelta(hours=2))
        printer.print_leaf(first)
        activate(settings=settings(printer.command, "localhost"))
        watch.watch(_in_force())
        printer.print_leaf(second)
        clocks.advance(timedelta(minutes=30))
        assert (False, False, 1) == (watch.look(), watch.settle(), printer.runs)
        clocks.advance(timedelta(minutes=15))
        assert (False, True, 2) == (watch.look(), watch.settle(), printer.runs)
        assert ["changed"] == calls
        reload()
        assert second.fingerprint == ask()

    def test_a_renewal_that_fails(
        self,
        printer: Printer,
        ask: Ask,
        watch: SourceWatch,
        clocks: Clocks,
        client_authority: Authority,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The twin: the last good one stays, one ERROR an hour says so, INFO that it is mended."""
        caplog.set_level(logging.INFO, "mxcert_runtime")
        leaf = _short(client_authority, timedelta(hours=10))
        printer.print_leaf(leaf)
        activate(settings=settings(printer.command, "localhost"))
        watch.watch(_in_force())
        caplog.clear()
        printer.content.write_bytes(b"")
        clocks.advance(timedelta(hours=7, minutes=30))
        for _ in range(20):
            assert (False, False) == (watch.look(), watch.settle())
            clocks.advance(timedelta(minutes=6))
        errors = [each for each in caplog.records if each.levelname == "ERROR"]
        assert 2 == len(errors)
        assert "prints nothing" in errors[0].getMessage()
        assert "What it gave last stays in use" in errors[0].getMessage()
        assert "failed" == metrics()["last_reload"]["outcome"]
        assert leaf.fingerprint == ask()
        printer.print_leaf(leaf)
        watch.look()
        assert watch.settle()
        assert "gives credentials again" in caplog.records[-1].getMessage()

    def test_asked_for(
        self, printer: Printer, watch: SourceWatch, client_authority: Authority
    ) -> None:
        """An explicit reload fetches what is not due yet, and gets the faults."""
        printer.print_leaf(_short(client_authority))
        activate(settings=settings(printer.command, "localhost"))
        watch.watch(_in_force())
        assert ([], 2) == (watch.refresh_all(_in_force()), printer.runs)
        printer.content.write_bytes(b"")
        (fault,) = watch.refresh_all(_in_force())
        assert "prints nothing" in fault.problem
        assert "identity 1 (printed)" in fault.origin

    def test_when_the_next_one_is_due(
        self, printer: Printer, watch: SourceWatch, clocks: Clocks, client_authority: Authority
    ) -> None:
        """Whoever waits knows for how long; for nothing, where nothing is watched."""
        assert watch.next_due() is None
        printer.print_leaf(_short(client_authority))
        activate(settings=settings(printer.command, "localhost"))
        watch.watch(_in_force())
        due = watch.next_due()
        assert due is not None
        assert timedelta(minutes=30) < due - clocks.now < timedelta(minutes=45)
        watch.end()
        assert watch.next_due() is None

    def test_a_command_that_takes_its_time(
        self, tmp_path: Path, watch: SourceWatch, clocks: Clocks, client_authority: Authority
    ) -> None:
        """Nobody waits for it: neither who looks nor who reads what is held."""
        os.mkfifo(tmp_path / "fifo")
        command = program("import sys; print(open(sys.argv[1]).read())", str(tmp_path / "fifo"))
        first, second = _short(client_authority), _short(client_authority)
        writing = _write_aside(tmp_path / "fifo", first)
        activate(settings=settings(command, "localhost"))
        writing.join(60)
        watch.watch(_in_force())
        (source,) = sources_of(_in_force())
        held = source.read()
        clocks.advance(timedelta(minutes=45))
        assert (False, False, held) == (watch.look(), watch.look(), source.read())
        writing = _write_aside(tmp_path / "fifo", second)
        assert watch.settle(60)
        writing.join(60)
        assert second.key_pem() + second.pem() == source.read().sealed.reveal()[:-1]

    def test_what_has_expired_is_waited_for(
        self,
        printer: Printer,
        watch: SourceWatch,
        clocks: Clocks,
        client_authority: Authority,
    ) -> None:
        """A program that was idle for days has the new one for its next connection."""
        printer.print_leaf(_short(client_authority))
        activate(settings=settings(printer.command, "localhost"))
        watch.watch(_in_force())
        printer.print_leaf(_short(client_authority, timedelta(days=9)))
        clocks.advance(timedelta(days=5))
        assert (True, 2) == (watch.look(), printer.runs)


class TestPushed:
    def test_one_watch_as_long_as_it_is_named(self, watch: SourceWatch, calls: list[str]) -> None:
        """Further generations that name it go on with it; without it the watch ends, once."""
        source, other = Pushing(), Pushing()
        for _ in range(3):
            watch.watch([identity(source)])
        assert source.changed is not None
        source.changed()
        assert (1, ["changed"], []) == (len(source.watching), calls, source.ended)
        watch.watch([identity(other)])
        watch.end()
        assert (1, 1, 1) == (len(source.ended), len(other.watching), len(other.ended))

    def test_two_identities_of_one_source(self, watch: SourceWatch) -> None:
        """It is watched once."""
        source = Pushing()
        watch.watch([identity(source), identity(source)])
        assert 1 == len(source.watching)

    def test_a_forked_child(self, watch: SourceWatch) -> None:
        """It watches for itself, from its first look on, and does not end its parent's watch."""
        source = Pushing()
        watch.watch([identity(source)])
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                watch.look()
                watch.look()
                watch.end()
                told = f"{source.watching.count(os.getpid())} {source.ended == [os.getpid()]}"
                os.write(writing, told.encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            assert "1 True" == told.read()
        os.waitpid(child, 0)

    def test_one_that_cannot_be_watched(
        self, watch: SourceWatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is said, and tried again at the next generation; others are watched all the same."""

        class Closed(Pushing):
            def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
                raise IdentityError(IdentityProblem.UNREADABLE, "it is closed", "Open it")

        other = Pushing()
        watch.watch([identity(Closed()), identity(other)])
        assert ("it is closed" in caplog.text, 1) == (True, len(other.watching))
