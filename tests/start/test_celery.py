"""Celery's prefork pool at a real Redis: what the server sees of a task."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.start.worker_programs import CALLS, Environment, seen_by
from tests.support.factories import ServerFactory
from tests.support.installation import TIMEOUT, Installations
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

_TASKS = """\
import os
from billiard import current_process
from celery import Celery
from calls import call

app = Celery("tasks", broker=os.environ["BROKER"])
app.conf.broker_connection_retry_on_startup = True

@app.task(ignore_result=True)
def called():
    call(current_process().name)
"""
_OPTIONS = "--pool prefork --concurrency 1 --without-gossip --without-mingle --loglevel ERROR"


@pytest.fixture
def broker() -> Iterator[str]:
    """A Redis that keeps nothing, on a socket of its own."""
    pytest.importorskip("celery")
    pytest.importorskip("redis")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: redis-server)")
    # A socket's path must be short.
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock"
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"]
        with subprocess.Popen(
            [program, *options], cwd=folder, stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            try:
                assert process.stdout is not None
                assert any("eady to accept connections" in line for line in process.stdout)
                yield f"redis+socket://{path}"
            finally:
                process.kill()


@pytest.mark.any_python
@pytest.mark.parametrize("kind", ["with", "without"])
def test_a_task(
    installations: Installations,
    tls_server: ServerFactory[TlsServer],
    calling: Environment,
    broker: str,
    tmp_path: Path,
    alpha: Leaf,
    beta: Leaf,
    kind: str,
) -> None:
    """By ``mxcert run`` a child of the pool presents what its host is due; without it nothing."""
    server, installation = tls_server(), installations.editable
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "calls.py").write_text(CALLS, encoding="utf-8")
    (folder / "tasks.py").write_text(_TASKS, encoding="utf-8")
    environment = {**calling(server), "BROKER": broker}
    send = "import tasks; tasks.called.delay()"
    sent = installation.run(installation.python, "-c", send, folder=folder, environment=environment)
    assert (0, "") == (sent.returncode, sent.stderr)

    prefix = [installation.script("mxcert"), "run", "--"] if kind == "with" else []
    command = [*prefix, installation.python, "-m", "celery", "--app", "tasks", "worker"]
    with (
        open(folder / "stderr", "wb") as told,
        subprocess.Popen(
            [*command, *_OPTIONS.split()],
            env=installation.environment(environment),
            cwd=folder,
            stdout=told,
            stderr=told,
        ) as worker,
    ):
        try:
            seen = seen_by(server, 1)
            worker.terminate()
            assert 0 == worker.wait(TIMEOUT)
        finally:
            worker.kill()

    both = [alpha.fingerprint, beta.fingerprint] if kind == "with" else [None, None]
    assert {"/ForkPoolWorker-1": both} == seen
