"""Programs that know nothing of the plugin, started by ``mxcert run``: what the server sees."""

from __future__ import annotations

import signal
import subprocess
import zipapp
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.start.worker_programs import CALLS, Environment, seen_by
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.installation import TIMEOUT, Installation, Installations
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer

_JOBS = """\
import multiprocessing, subprocess, sys
from calls import call

if __name__ == "__main__":
    call("parent")
    for method in ("spawn", "forkserver", "fork"):
        process = multiprocessing.get_context(method).Process(target=call, args=(method,))
        process.start()
        process.join()
        assert process.exitcode == 0, method
    code = "import calls; calls.call('subprocess')"
    subprocess.run(["sh", "-c", 'exec "$0" -c "$1"', sys.executable, code], check=True)
"""
#: a task queue's parent and its children, by every way that multiprocessing has
_CHILDREN = ("parent", "spawn", "forkserver", "fork", "subprocess")

_APPLICATION = """\
def application(environ, start_response):
    start_response("204 No Content", [])
    return []

async def asynchronous(scope, receive, send):
    raise NotImplementedError
"""
#: calls in each worker, whichever process has loaded the application
_CONFIGURATION = """\
import os

def post_worker_init(worker):
    from calls import call
    call("started/%d" % os.getpid())
"""
#: what is told to gunicorn, by the kind of its workers
_WORKERS = {
    "sync": ("sync", "served"),
    "gthread": ("gthread", "--threads", "2", "served"),
    "gevent": ("gevent", "served"),
    "uvicorn_worker": ("uvicorn_worker.UvicornWorker", "served:asynchronous"),
    "preload": ("sync", "--preload", "served"),
}
#: as pip writes it
_GUNICORN = """\
#!{python}
import sys
from gunicorn.app.wsgiapp import run
if __name__ == "__main__":
    sys.exit(run())
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The folder with the programs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    texts = {"calls": CALLS, "jobs": _JOBS, "served": _APPLICATION, "configured": _CONFIGURATION}
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def _run(
    installation: Installation, folder: Path, environment: Mapping[str, str], *command: str
) -> None:
    done = installation.run(*command, folder=folder, environment=environment)
    assert (0, "") == (done.returncode, done.stderr)


def test_children(
    installations: Installations,
    tls_server: ServerFactory[TlsServer],
    calling: Environment,
    programs: Path,
    alpha: Leaf,
    beta: Leaf,
) -> None:
    """A parent, its children by spawn, forkserver and fork, and a Python behind a shell."""
    server, installation = tls_server(), installations.wheel

    mxcert = installation.script("mxcert")
    _run(installation, programs, calling(server), mxcert, "run", "--", "python", "-m", "jobs")

    both = [alpha.fingerprint, beta.fingerprint]
    assert {f"/{name}": both for name in _CHILDREN} == seen_by(server, len(_CHILDREN))


def test_children_without(
    installations: Installations,
    tls_server: ServerFactory[TlsServer],
    calling: Environment,
    programs: Path,
) -> None:
    """The twin: the same program in the same environment, started by itself, presents nothing."""
    server, installation = tls_server(), installations.wheel

    _run(installation, programs, calling(server), "python", "-m", "jobs")

    assert {f"/{name}": [None, None] for name in _CHILDREN} == seen_by(server, len(_CHILDREN))


def test_a_zip_application(
    installations: Installations,
    tls_server: ServerFactory[TlsServer],
    calling: Environment,
    programs: Path,
    alpha: Leaf,
    beta: Leaf,
) -> None:
    """An archive that names its own interpreter."""
    server, installation = tls_server(), installations.wheel
    (programs / "__main__.py").write_text("from calls import call\ncall('zip')\n", encoding="utf-8")
    archive = programs.parent / "application.pyz"
    zipapp.create_archive(programs, archive, interpreter=installation.python)

    mxcert = installation.script("mxcert")
    _run(installation, programs, calling(server), mxcert, "run", "--", str(archive))

    assert {"/zip": [alpha.fingerprint, beta.fingerprint]} == seen_by(server, 1)


@contextmanager
def _gunicorn(
    installation: Installation,
    folder: Path,
    environment: Mapping[str, str],
    prefix: Sequence[str],
    *worker: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """Two workers; where they listen does not matter. What they say goes to a file."""
    script = folder / "gunicorn"
    script.write_text(_GUNICORN.format(python=installation.python), encoding="utf-8")
    script.chmod(0o700)
    options = ["--workers", "2", "--bind", "127.0.0.1:0", "--worker-tmp-dir", str(folder)]
    options += ["--config", "configured.py"]
    with (
        open(folder / "stderr", "wb") as told,
        subprocess.Popen(
            [*prefix, str(script), *options, "--worker-class", *worker],
            env=installation.environment({**environment, "HOME": str(folder)}),
            cwd=folder,
            stderr=told,
        ) as process,
    ):
        try:
            yield process
            process.terminate()
            assert 0 == process.wait(TIMEOUT)
        finally:
            process.kill()


@pytest.mark.any_python
@pytest.mark.parametrize("worker", _WORKERS)
@pytest.mark.parametrize("kind", ["with", "without"])
def test_gunicorn(
    installations: Installations,
    tls_server: ServerFactory[TlsServer],
    calling: Environment,
    programs: Path,
    alpha: Leaf,
    beta: Leaf,
    kind: str,
    worker: str,
) -> None:
    """Both of its workers; without ``mxcert run`` neither. SIGTERM ends it in its own way, and
    gevent, which replaces ``ssl`` in each worker, finds nothing to warn of."""
    pytest.importorskip("gunicorn")
    if worker in ("gevent", "uvicorn_worker"):
        pytest.importorskip(worker)
    server, installation = tls_server(), installations.editable
    prefix = [installation.script("mxcert"), "run", "--"] if kind == "with" else []

    with _gunicorn(installation, programs, calling(server), prefix, *_WORKERS[worker]):
        presented = seen_by(server, 2)

    both = [alpha.fingerprint, beta.fingerprint] if kind == "with" else [None, None]
    assert [both, both] == list(presented.values())
    assert "Warning" not in (programs / "stderr").read_text(encoding="utf-8")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_gunicorn_after_a_renewal(
    installations: Installations,
    tls_server: ServerFactory[TlsServer],
    calling: Environment,
    programs: Path,
    client_files: ClientFiles,
    client_authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> None:
    """SIGHUP forks workers from a master that holds the old certificate: they take up the new."""
    pytest.importorskip("gunicorn")
    server, installation = tls_server(), installations.editable
    prefix = [installation.script("mxcert"), "run", "--"]
    leaf = client_authority.issue("renewed", server=False)

    with _gunicorn(installation, programs, calling(server), prefix, *_WORKERS["sync"]) as master:
        before = seen_by(server, 2)
        client_files.pkcs12(alpha).write_bytes(leaf.pkcs12(client_files.password))
        master.send_signal(signal.SIGHUP)
        after = seen_by(server, 4)

    assert [[alpha.fingerprint, beta.fingerprint]] * 2 == list(before.values())
    fresh = [seen for path, seen in after.items() if path not in before]
    assert [[leaf.fingerprint, beta.fingerprint]] * 2 == fresh
