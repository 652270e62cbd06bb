"""Threads and tasks that go on while a certificate is renewed: none fails, none is out of date."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.stress.rotation import ROOM, THREADS, run

pytestmark = pytest.mark.any_python

RENEWALS = 40
#: what a client library may keep for itself: its loop, its resolver, files that are being read
_BESIDE = 40


# asyncio of Python 3.9 takes transports for unclosed that the server has closed, without us too.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("is_watching", [False, True], ids=["reload", "watching"])
def test_renewed_under_load(is_watching: bool, tmp_path: Path) -> None:
    """Kept and fresh connections of three clients; a tenth of the renewals is broken."""
    before = len(os.listdir("/proc/self/fd"))
    report = run(RENEWALS, tmp_path, is_watching=is_watching)
    assert [] == report.failures
    assert (RENEWALS, RENEWALS // 10) == (report.renewals, report.broken)
    assert report.requests >= RENEWALS * ROOM
    _, descriptors, _ = report.late
    # Those of its own: what other tests have left open in this process is no affair of it.
    assert descriptors - before <= 2 * THREADS + 2 * ROOM + _BESIDE
