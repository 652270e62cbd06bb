"""Programs that run for long hear of expiry once a day, with nothing in the background."""

from __future__ import annotations

import datetime
import itertools
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mxcert_runtime import activate, deactivate
from mxcert_runtime.base.faults import Origin
from mxcert_runtime.identity.identity import Identity
from mxcert_runtime.monitoring import housekeeping
from mxcert_runtime.monitoring.housekeeping import LOOK_INTERVAL, look_if_due, watch
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.identities import identity_of
from tests.support.pki import Authority, Leaf, now
from tests.support.plain_client import fetch, plain_context
from tests.support.tls_server import TlsServer

START = 5000.0
_DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged; at its end nothing is watched."""
    caplog.set_level(logging.DEBUG, "mxcert_runtime")
    yield caplog
    watch(())


@pytest.fixture
def identity(alpha: Leaf) -> Identity:
    """An identity whose dates are those of the leaf alpha."""
    return identity_of(alpha, "alpha", Origin("file.toml", "identity 1"))


def look(elapsed: float, now: datetime.datetime) -> None:
    """Look, so many seconds after the start."""
    look_if_due(lambda: START + elapsed, lambda: now)


def lines(log: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and text of each line, which are then forgotten."""
    found = [(record.levelname, record.getMessage()) for record in log.records]
    log.clear()
    return found


MOMENTS = [
    (-31 * _DAY, None, ""),
    (-29 * _DAY, "WARNING", "expires in 29 days"),
    (datetime.timedelta(hours=-3), "WARNING", "expires in 3 h 0 min"),
    (datetime.timedelta(hours=3), "ERROR", "expired on"),
    (400 * _DAY, "ERROR", "expired on"),
]


@pytest.mark.parametrize(
    ("life", "left", "expected"),
    [
        (datetime.timedelta(hours=1), datetime.timedelta(minutes=21), []),
        (datetime.timedelta(hours=1), datetime.timedelta(minutes=19), ["WARNING"]),
        (7 * _DAY, 3 * _DAY, []),
        (8 * _DAY, 3 * _DAY, ["WARNING"]),
    ],
)
def test_a_short_life_is_warned_of_at_its_end(
    life: datetime.timedelta,
    left: datetime.timedelta,
    expected: list[str],
    client_authority: Authority,
    log: pytest.LogCaptureFixture,
) -> None:
    """An SVID of an hour is no news until two thirds of it are over without a renewal."""
    leaf = client_authority.issue("svid", not_before=now() - life, not_after=now())
    svid = identity_of(leaf, "svid")
    watch([svid], lambda: START, lambda: svid.not_before)
    look(LOOK_INTERVAL, svid.not_after - left)
    assert expected == [level for level, _ in lines(log)]


@pytest.mark.parametrize(("offset", "level", "words"), MOMENTS)
def test_what_a_look_says(
    identity: Identity,
    log: pytest.LogCaptureFixture,
    offset: datetime.timedelta,
    level: str | None,
    words: str,
) -> None:
    """A warning in the last 30 days, an error after them, each with origin, name and remedy."""
    watch([identity], lambda: START)
    look(LOOK_INTERVAL, identity.not_after + offset)
    found = lines(log)
    assert ([] if level is None else [level]) == [each for each, _ in found]
    wanted = ("file.toml, identity 1", "'alpha'", "Replace the file", words)
    assert all(word in text for _, text in found for word in wanted)


def test_an_identity_of_tomorrow(identity: Identity, log: pytest.LogCaptureFixture) -> None:
    """A clock that was set back, or a certificate that came too early, is an error too."""
    watch([identity], lambda: START)
    look(LOOK_INTERVAL, identity.not_before - _DAY)
    [(level, text)] = lines(log)
    assert ("ERROR", True) == (level, "is not valid before" in text)


def test_one_look_a_day(identity: Identity, log: pytest.LogCaptureFixture) -> None:
    """Before the day is over nothing is said, then one line, and the next a day after that."""
    now = identity.not_after + _DAY
    watch([identity], lambda: START)
    counts = []
    for elapsed in (0.0, LOOK_INTERVAL - 1, LOOK_INTERVAL + 5, LOOK_INTERVAL + 6):
        look(elapsed, now)
        counts.append(len(lines(log)))
    for elapsed in (2 * LOOK_INTERVAL + 4, 2 * LOOK_INTERVAL + 5, 9 * LOOK_INTERVAL):
        look(elapsed, now)
        counts.append(len(lines(log)))
    assert [0, 0, 1, 0, 0, 1, 1] == counts


def test_at_30_7_and_1_days(identity: Identity, log: pytest.LogCaptureFixture) -> None:
    """A warning at each of these, an error on each day after the end."""
    watch([identity], lambda: START, lambda: identity.not_after - 40 * _DAY)
    said = []
    for day in range(1, 44):
        left = 40 - day
        look(day * LOOK_INTERVAL, identity.not_after - left * _DAY + datetime.timedelta(minutes=1))
        said += [(left, level) for level, _ in lines(log)]
    errors = [(left, "ERROR") for left in (0, -1, -2, -3)]
    assert [(30, "WARNING"), (7, "WARNING"), (1, "WARNING"), *errors] == said


def test_a_replacement_begins_anew(
    identity: Identity, beta: Leaf, log: pytest.LogCaptureFixture
) -> None:
    """Another generation does not put off what is due, nor say again what was said."""
    second = identity_of(beta, "beta", Origin("file.toml"))
    watch([identity], lambda: START, lambda: identity.not_after - 40 * _DAY)
    soon = identity.not_after - 29 * _DAY
    look(LOOK_INTERVAL, soon)
    assert 1 == len(lines(log))
    watch([identity, second], lambda: START + LOOK_INTERVAL, lambda: soon)
    look(2 * LOOK_INTERVAL, soon)
    assert [] == [text for _, text in lines(log) if "'alpha'" in text]
    look(30 * LOOK_INTERVAL, identity.not_after - 6 * _DAY)
    assert ["WARNING"] == [level for level, text in lines(log) if "'alpha'" in text]


def test_one_line_for_each_identity(
    identity: Identity, beta: Leaf, log: pytest.LogCaptureFixture
) -> None:
    """A look is at all of them, in their order."""
    second = identity_of(beta, "beta", Origin("file.toml"))
    watch([identity, second], lambda: START)
    look(LOOK_INTERVAL, max(identity.not_after, second.not_after) + _DAY)
    assert [True, True] == [
        name in text for name, (_, text) in zip(("'alpha'", "'beta'"), lines(log))
    ]


def test_one_thread_speaks(identity: Identity, log: pytest.LogCaptureFixture) -> None:
    """Of threads that find a look due at the same time, one looks."""
    now = identity.not_after + _DAY
    threads = 8
    barrier = threading.Barrier(threads)

    def run() -> None:
        for day in itertools.islice(itertools.count(1), 20):
            barrier.wait()
            look(day * LOOK_INTERVAL, now)

    watch([identity], lambda: START)
    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert 20 == len(lines(log))


def test_nothing_is_watched_without_identities(log: pytest.LogCaptureFixture) -> None:
    """Without identities no look is ever due."""
    watch((), lambda: START)
    look(1e12, datetime.datetime.now(datetime.timezone.utc))
    assert [] == lines(log)


@pytest.fixture
def expiring(client_files: ClientFiles, client_authority: Authority) -> dict[str, Any]:
    """Settings with an identity of few days."""
    end = datetime.datetime.now(datetime.timezone.utc) + 9 * _DAY
    leaf = client_authority.issue("short", not_after=end, server=False)
    return {"identity": [client_files.identity("short", leaf, hosts=["localhost"])]}


def a_day_later() -> float:
    """The moment a day after this one."""
    return time.monotonic() + LOOK_INTERVAL


def test_activation_begins_the_day(expiring: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """Activation speaks itself, then a look at the next stage, and none after deactivation."""
    activate(expiring)
    assert ["WARNING", "INFO"] == [level for level, _ in lines(log)]
    look_if_due()
    look_if_due(a_day_later)
    assert [] == lines(log)
    later = datetime.datetime.now(datetime.timezone.utc) + 3 * _DAY
    look_if_due(lambda: time.monotonic() + 3 * LOOK_INTERVAL, lambda: later)
    [(level, text)] = lines(log)
    assert ("WARNING", True) == (level, "'short' expires in" in text)
    deactivate()
    look_if_due(lambda: time.monotonic() + 9 * LOOK_INTERVAL)
    assert [] == lines(log)


def test_a_handshake_looks(
    expiring: dict[str, Any],
    log: pytest.LogCaptureFixture,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
) -> None:
    """The first handshake after a day says it, those after it do not; nor does one before."""
    server = tls_server()
    context = plain_context(authority)
    activate(expiring)
    log.set_level(logging.WARNING, "mxcert_runtime")
    lines(log)
    fetch(server.url(), context)
    assert [] == lines(log)
    loaded = housekeeping._watched
    watch((), lambda: time.monotonic() - LOOK_INTERVAL)
    watch(loaded, lambda: time.monotonic() - LOOK_INTERVAL, lambda: loaded[0].not_after - 60 * _DAY)
    for _ in range(2):
        fetch(server.url(), context)
    assert ["WARNING"] == [level for level, _ in lines(log)]
