"""Counters: exact, cheap to add to, and each process has its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from mxcert_runtime.monitoring import counters
from mxcert_runtime.monitoring.counters import (
    OTHER_REASONS,
    Tally,
    connection_tally,
    connections,
    count_failure,
    count_refusal,
    count_reload,
    failures,
    refusals,
    reloads,
    restart_all,
)
from tests.support.subprocesses import run_client

THREADS = 4


@pytest.fixture(autouse=True)
def fresh_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own counters stay as they are."""
    for name in ("_connections", "_refusals", "_failures", "_reloads"):
        monkeypatch.setattr(counters, name, {})


def in_threads(run: Callable[[], object]) -> None:
    """Run it in several threads that begin together."""
    barrier = threading.Barrier(THREADS)

    def begin() -> None:
        barrier.wait()
        run()

    threads = [threading.Thread(target=begin) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_tally_counts() -> None:
    """It begins at zero, and each call is one; reading is none."""
    tally = Tally()
    values = [tally.value]
    for _ in range(12):
        tally.add()
        values.append(tally.value)
        assert values[-1] == tally.value
    assert list(range(13)) == values


def test_a_tally_is_exact_under_threads() -> None:
    """No step is lost where threads count at the same time."""
    tally = Tally()

    def count() -> None:
        add = tally.add
        for _ in range(50_000):
            add()

    in_threads(count)
    assert THREADS * 50_000 == tally.value


def test_a_tally_begins_again_for_those_who_keep_it() -> None:
    """What somebody kept goes on counting in the same tally after the restart."""
    tally = connection_tally("alpha", "good.example")
    add = tally.add
    add()
    restart_all()
    assert 0 == tally.value
    add()
    assert [(("alpha", "good.example"), 1)] == connections()


def test_one_tally_for_each_pair() -> None:
    """The same pair has the same tally, another one another."""
    pairs = [("alpha", "good.example"), ("alpha", None), (None, "open.example"), (None, None)]
    tallies = [connection_tally(*pair) for pair in pairs]
    assert 4 == len(set(map(id, tallies)))
    assert all(connection_tally(*pair) is tally for pair, tally in zip(pairs, tallies))
    tallies[1].add()
    assert {pair: int(pair == ("alpha", None)) for pair in pairs} == dict(connections())


def test_one_tally_for_a_pair_that_threads_want_first() -> None:
    """Threads that come first together get one tally and lose no step."""

    def count() -> None:
        for number in range(200):
            connection_tally("alpha", f"{number}.example").add()

    in_threads(count)
    assert {THREADS} == {count for _, count in connections()}
    assert 200 == len(connections())


def test_refusals_by_reason() -> None:
    """Each reason has its own number."""
    for reason in ("certificate_required", "bad_certificate", "certificate_required"):
        count_refusal(reason)
    assert {"certificate_required": 2, "bad_certificate": 1} == refusals()


def test_refusals_are_bounded() -> None:
    """Ever new reasons are counted as one; those that are known are still told apart."""
    for number in range(1000):
        count_refusal(f"reason {number}")
    count_refusal("reason 0")
    counted = refusals()
    assert (2, 1001) == (counted["reason 0"], sum(counted.values()))
    assert 900 < counted[OTHER_REASONS]
    assert 100 > len(counted)


def test_failures_by_kind() -> None:
    """Each kind has its own number."""
    for kind in ("connection-closed", "other", "connection-closed"):
        count_failure(kind)
    assert {"connection-closed": 2, "other": 1} == failures()


def test_reloads_by_outcome() -> None:
    """Every outcome is there from the beginning."""
    assert {"applied": 0, "unchanged": 0, "failed": 0} == reloads()
    count_reload("failed")
    assert {"applied": 0, "unchanged": 0, "failed": 1} == reloads()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_a_fork_begins_at_zero() -> None:
    """The child counts itself alone, also in a tally that was kept, and the parent goes on."""
    script = """
        import json, os
        from mxcert_runtime.monitoring.counters import connection_tally, connections
        from mxcert_runtime.monitoring.counters import count_failure, failures
        from mxcert_runtime.monitoring.counters import count_refusal, refusals
        add = connection_tally("alpha", None).add
        add(), add(), count_refusal("unknown_ca"), count_failure("other")
        reading, writing = os.pipe()
        if os.fork() == 0:
            before = connections()[0][1], refusals()["unknown_ca"], failures()["other"]
            add()
            os.write(writing, json.dumps([*before, connections()[0][1]]).encode())
            os._exit(0)
        os.wait()
        child = json.loads(os.read(reading, 100))
        add()
        print(json.dumps([child, connections()[0][1], refusals()["unknown_ca"]]))
    """
    assert [[0, 0, 0, 1], 3, 1] == run_client(script, host_patterns=()).json()
