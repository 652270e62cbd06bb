"""Settings with which nothing is started, and how that is told."""

from __future__ import annotations

from tests.support.subprocesses import Finished

BROKEN = {"ClientCertificates": "/nonexistent/client.p12"}


def assert_refused(done: Finished, *told: str) -> None:
    assert (78, "") == (done.returncode, done.stdout)
    assert [] == [text for text in told if text not in done.stderr]
    assert "Traceback" not in done.stderr
