"""What is counted, logged and said of connections."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.connections import announcement
from mxcert_runtime.monitoring import counters, housekeeping
from tests.clients.calls import TIMEOUT
from tests.diagnosis.told import LOGGER, notes_of, told_of, warnings_of
from tests.engines.drivers import Driver
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.scene import ALPHA_HOST, HOSTS, NOBODY, Scene
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged, also what was logged once already."""
    announcement._warn_of_unknown_port.cache_clear()
    announcement._warn_of_unnamed_host.cache_clear()
    caplog.set_level(logging.DEBUG, LOGGER)
    yield caplog
    housekeeping.watch(())


def _lines(log: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [each.getMessage() for each in log.records if words in each.getMessage()]


def _failure_of(engine: Driver, url: str, context: Any, *, is_named: bool = True) -> BaseException:
    try:
        engine.get(url, context, is_named=is_named)
    except engine.errors as error:
        return error
    raise AssertionError("the call did not fail")


class TestLog:
    def test_debug_line(self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture) -> None:
        """One line for each connection: host, port, identity and rule."""
        scene.activate_hosts()
        context = engine.context(scene.ca_file)
        for _ in range(2):
            engine.get(scene.url(), context)
        start = f"{ALPHA_HOST}:{scene.server.port} presents alpha (rule `{ALPHA_HOST}`"
        assert [True, True] == [line.startswith(start) for line in _lines(log, "presents")]

    def test_debug_line_of_the_programs_own(
        self, engine: Driver, scene: Scene, tmp_path: Path, log: pytest.LogCaptureFixture
    ) -> None:
        """Where the program has a certificate, the line says that, and not what a rule says."""
        scene.activate_hosts()
        context = engine.context(scene.ca_file)
        engine.give_certificate(context, scene.beta, tmp_path)
        engine.get(scene.url(), context)
        end = "presents the program's own certificate"
        assert [True] == [line.endswith(end) for line in _lines(log, "presents")]

    def test_no_debug_line(
        self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture
    ) -> None:
        """The twin: once nothing is in force there is none."""
        scene.activate_hosts()
        mxcert_runtime.deactivate()
        log.clear()
        engine.get(scene.url(), engine.context(scene.ca_file))
        assert [] == log.records

    def test_unknown_port(
        self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture
    ) -> None:
        """Where nobody tells the port, one warning says that rules with a port do not apply."""
        scene.activate(scene.files.identity("one", scene.alpha, hosts=[f"{ALPHA_HOST}:1"]))
        context = engine.context(scene.ca_file)
        for _ in range(2):
            engine.first_flight(context, ALPHA_HOST)
        assert [ALPHA_HOST in line for line in _lines(log, "the port of a connection")] == [True]

    def test_no_rule_with_a_port(
        self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture
    ) -> None:
        """The twin: where no rule has a port, nobody misses it."""
        scene.activate_hosts()
        engine.first_flight(engine.context(scene.ca_file), ALPHA_HOST)
        assert [] == _lines(log, "the port of a connection")

    def test_unnamed_host(
        self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture
    ) -> None:
        """A client that names no host gets a warning with the remedy, once."""
        scene.activate_hosts()
        context = engine.context(scene.ca_file)
        for _ in range(2):
            assert engine.get(scene.url(), context, is_named=False).presented is None
        assert ["server_hostname" in line for line in _lines(log, "names no host")] == [True]

    def test_what_the_request_chooses(
        self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture
    ) -> None:
        """A line says what the server gets."""
        scene.activate(scene.files.identity("one", scene.alpha), unlisted_hosts="offer")
        engine.get(scene.url(), engine.context(scene.ca_file))
        (line,) = _lines(log, "asks for a certificate")
        assert line.startswith(f"{ALPHA_HOST} asks for a certificate and gets one")


def test_the_daily_look(
    engine: Driver, scene: Scene, client_authority: Authority, log: pytest.LogCaptureFixture
) -> None:
    """The first handshake that is due warns of an identity that expires; the next does not."""
    end = datetime.now(timezone.utc) + timedelta(days=9)
    leaf = client_authority.issue("short", not_after=end, server=False)
    scene.activate(scene.files.identity("short", leaf, hosts=[ALPHA_HOST]))
    context = engine.context(scene.ca_file)
    log.clear()
    engine.get(scene.url(), context)
    assert [] == _lines(log, "expires")
    watched = housekeeping._watched
    housekeeping.watch(())
    housekeeping.watch(
        watched,
        lambda: time.monotonic() - housekeeping.LOOK_INTERVAL,
        lambda: end - timedelta(days=60),
    )
    for _ in range(2):
        engine.get(scene.url(), context)
    assert [True] == ["'short'" in line for line in _lines(log, "expires")]


def test_counts(engine: Driver, scene: Scene) -> None:
    """Each connection counts once, by identity and rule; also one that the request decides."""
    pairs = [("alpha", ALPHA_HOST), (None, None), ("one", None)]

    def counts() -> list[int]:
        return [counters.connection_tally(*pair).value for pair in pairs]

    before = counts()
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    for host in (ALPHA_HOST, ALPHA_HOST, NOBODY):
        engine.get(scene.url(host), context)
    scene.activate(scene.files.identity("one", scene.alpha), unlisted_hosts="offer")
    engine.get(scene.url(), context)
    assert [2, 1, 1] == [after - each for after, each in zip(counts(), before)]


def test_a_server_that_does_not_ask_counts(
    engine: Driver, scene: Scene, tls_server: ServerFactory[TlsServer], tls_version: TlsVersion
) -> None:
    """Where a request would choose, and there is none, the connection presents nothing."""
    server = tls_server(hosts=HOSTS, version=tls_version, demand=Demand.ASK_NOT)
    scene.activate(scene.files.identity("one", scene.alpha), unlisted_hosts="offer")
    context = engine.context(scene.ca_file)
    tallies = [counters.connection_tally(name, None) for name in ("one", None)]
    before = [each.value for each in tallies]
    engine.get(server.url(ALPHA_HOST), context)
    assert [0, 1] == [tally.value - each for tally, each in zip(tallies, before)]


def test_own_certificate_counts(engine: Driver, scene: Scene, tmp_path: Path) -> None:
    """A connection with the program's own certificate counts as one without an identity."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    engine.give_certificate(context, scene.beta, tmp_path)
    tallies = [counters.connection_tally(name, ALPHA_HOST) for name in ("alpha", None)]
    before = [each.value for each in tallies]
    engine.get(scene.url(), context)
    assert [0, 1] == [tally.value - each for tally, each in zip(tallies, before)]


class TestNotes:
    """What is said of a connection that failed, on its error and in the log."""

    @pytest.fixture
    def strict(self, tls_server: ServerFactory[TlsServer], tls_version: TlsVersion) -> TlsServer:
        """A server that demands a certificate of its own clients' root."""
        return tls_server(hosts=HOSTS, version=tls_version, demand=Demand.DEMAND)

    @pytest.fixture
    def stranger(self) -> Leaf:
        """A client's certificate that no server knows."""
        return Authority("Stranger").issue("stranger", server=False)

    def test_refused_certificate(
        self,
        engine: Driver,
        scene: Scene,
        strict: TlsServer,
        stranger: Leaf,
        log: pytest.LogCaptureFixture,
    ) -> None:
        """Endpoint with its port, decision, what was presented, and the remedy."""
        scene.activate(scene.files.identity("odd", stranger, hosts=[ALPHA_HOST]))
        log.clear()
        url = strict.url(ALPHA_HOST)
        told = told_of(_failure_of(engine, url, engine.context(scene.ca_file)), log)
        assert told[""].endswith("(unknown_ca)")
        assert told["endpoint"] == f"{ALPHA_HOST}:{strict.port}"
        assert told["decision"].startswith(f"odd (rule `{ALPHA_HOST}`")
        assert stranger.subject in told["presented"]
        assert f"`mxcert probe https://{ALPHA_HOST}:{strict.port}`" in told["remedy"]

    def test_nothing_presented(
        self, engine: Driver, scene: Scene, strict: TlsServer, log: pytest.LogCaptureFixture
    ) -> None:
        """A server that demands a certificate and gets none; the service is named."""
        scene.activate_hosts()
        context = engine.context(scene.ca_file)
        with mxcert_runtime.service("Some.Service"):
            log.clear()
            told = told_of(_failure_of(engine, strict.url(NOBODY), context), log)
        assert told["presented"] == "nothing"
        assert told["endpoint"] == f"{NOBODY}:{strict.port}, service Some.Service"

    def test_own_certificate(
        self,
        engine: Driver,
        scene: Scene,
        strict: TlsServer,
        stranger: Leaf,
        tmp_path: Path,
        log: pytest.LogCaptureFixture,
    ) -> None:
        """The program's own certificate that is refused is told as that."""
        scene.activate_hosts()
        context = engine.context(scene.ca_file)
        engine.give_certificate(context, stranger, tmp_path)
        log.clear()
        told = told_of(_failure_of(engine, strict.url(ALPHA_HOST), context), log)
        assert told["presented"].startswith("the certificate that the program loads itself")
        assert "Take the program's own certificate out" in told["remedy"]

    def test_client_without_a_name(
        self, engine: Driver, scene: Scene, strict: TlsServer, log: pytest.LogCaptureFixture
    ) -> None:
        """The note says that no host was named, and what gives the connection a rule."""
        scene.activate_hosts()
        context = engine.context(scene.ca_file)
        _failure_of(engine, strict.url(ALPHA_HOST), context, is_named=False)
        (line,) = [each for each in warnings_of(log) if "endpoint" in each]
        assert f"endpoint: 127.0.0.1:{strict.port} (the client named no host)" in line

    @pytest.mark.parametrize("is_pinned", [True, False])
    def test_server_refused(
        self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture, is_pinned: bool
    ) -> None:
        """What verified the server is told, and why: pinned CAs, or what the program loaded."""
        foreign = Authority("Foreign root")
        file = str(scene.files.authority(foreign))
        pinned = [foreign] if is_pinned else []
        rule = scene.files.identity("one", scene.alpha, hosts=[ALPHA_HOST], authorities=pinned)
        scene.activate(rule)
        context = engine.context(scene.ca_file if is_pinned else file)
        log.clear()
        told = told_of(_failure_of(engine, scene.url(), context), log)
        loaded = f"what the program loaded: {file}"
        assert told["trusted"] == (f"the pinned CAs of the rule ({file})" if is_pinned else loaded)

    def test_extra_cas(self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture) -> None:
        """Extra CAs that do not count for a bundle of the program's are told as such."""
        file = str(scene.files.authority(Authority("Foreign root")))
        scene.activate_hosts(ca=[scene.ca_file])
        context = engine.context(file)
        log.clear()
        told = told_of(_failure_of(engine, scene.url(), context), log)
        assert told["trusted"] == (
            f"what the program loaded: {file}; the extra CAs ({scene.ca_file}) count with default "
            "trust only"
        )

    def test_nothing_to_tell(
        self, engine: Driver, scene: Scene, log: pytest.LogCaptureFixture
    ) -> None:
        """The twin: what has nothing to do with certificates stays without a note."""
        scene.activate_hosts()
        context = engine.context(scene.ca_file)
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            address = deaf.getsockname()
            with socket.create_connection(address, TIMEOUT) as plain:
                deaf.accept()[0].close()
                with pytest.raises(engine.errors) as caught:
                    engine.shake_hands(context, plain, ALPHA_HOST)
        assert ([], []) == (notes_of(caught.value), warnings_of(log))
