"""Programs whose parent alone imports the plugin, and what a server sees of their children."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.start.worker_programs import CALLS, seen_by
from tests.support.client_files import ClientFiles
from tests.support.installation import Installation, Installations
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

#: The guard keeps the import from those whom multiprocessing has load this file again.
_PROGRAM = """\
import os, subprocess, sys
import calls
from calls import call

FOLDER = os.path.dirname(os.path.abspath(__file__))
CODE = "import sys; sys.path.insert(0, sys.argv[1]); import calls; calls.call(sys.argv[2])"

def by_subprocess(name, *options, python=sys.executable, **more):
    subprocess.run([python, *options, "-c", CODE, FOLDER, name], check=True, **more)

def by_process(method):
    import multiprocessing
    process = multiprocessing.get_context(method).Process(target=call, args=(method,))
    process.start()
    process.join()
    assert process.exitcode == 0, method

def by_executor(method):
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        pool.submit(call, "executor-" + method).result()

def by_joblib():
    from joblib import Parallel, delayed
    Parallel(n_jobs=2)([delayed(call)("joblib")])

if __name__ == "__main__":
    import mxcert_runtime
    call("parent")
    {ways}
"""
#: How they are started, and whether they have what the parent has without being handed anything.
_WAYS = {
    "fork": ('by_process("fork")', True),
    "spawn": ('by_process("spawn")', False),
    "forkserver": ('by_process("forkserver")', False),
    "executor-fork": ('by_executor("fork")', True),
    "executor-spawn": ('by_executor("spawn")', False),
    "plain": ('by_subprocess("plain")', False),
    "isolated": ('by_subprocess("isolated", "-I")', False),
    # As those of Ray and Dask: a changed copy of the environment, a session and folder of its own.
    "scheduled": (
        'by_subprocess("scheduled", env={**os.environ, "RANK": "1"}, start_new_session=True,'
        ' cwd="/")',
        False,
    ),
}


@pytest.fixture
def folder(tmp_path: Path, client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> Path:
    """The folder of the programs, with a settings file."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "calls.py").write_text(CALLS, encoding="utf-8")
    entries = [
        client_files.identity("alpha", alpha, hosts=["localhost"]),
        client_files.identity("beta", beta, hosts=["127.0.0.1"]),
    ]
    (folder / "mxcert.json").write_text(json.dumps({"identity": entries}), encoding="utf-8")
    return folder


def _run(
    installation: Installation,
    folder: Path,
    trust: dict[str, str],
    inherit: str,
    *ways: str,
    prefix: tuple[str, ...] = (),
) -> None:
    """Run the program; the path of its settings file holds in its own folder alone."""
    text = _PROGRAM.replace("{ways}", "; ".join(ways))
    (folder / "program.py").write_text(text, encoding="utf-8")
    said = {"MXCERT_CONFIG": "mxcert.json", **({"MXCERT_INHERIT": inherit} if inherit else {})}
    command = *prefix, installation.python, "program.py"
    done = installation.run(*command, folder=folder, environment={**trust, **said})
    assert (0, "") == (done.returncode, done.stderr)


@pytest.fixture
def trust(server: TlsServer, environment: dict[str, str]) -> dict[str, str]:
    """What a program calls the server by, without settings."""
    return {name: environment[name] for name in ("SSL_CERT_FILE", "TARGET_PORT")}


@pytest.mark.any_python
@pytest.mark.parametrize("inherit", ["on", "", "off"])
def test_ways(
    installations: Installations,
    server: TlsServer,
    trust: dict[str, str],
    folder: Path,
    alpha: Leaf,
    beta: Leaf,
    inherit: str,
) -> None:
    """With ``MXCERT_INHERIT=on`` each child is served, however it is started; without it only
    those that have the parent's memory."""
    _run(installations.wheel, folder, trust, inherit, *(code for code, _ in _WAYS.values()))

    both = [alpha.fingerprint, beta.fingerprint]
    expected = {
        f"/{name}": both if has or inherit == "on" else [None, None]
        for name, (_, has) in _WAYS.items()
    }
    assert {"/parent": both, **expected} == seen_by(server, 1 + len(_WAYS))


@pytest.mark.any_python
@pytest.mark.parametrize("inherit", ["", "off"])
def test_by_run(
    installations: Installations,
    server: TlsServer,
    trust: dict[str, str],
    folder: Path,
    alpha: Leaf,
    beta: Leaf,
    inherit: str,
) -> None:
    """Under ``mxcert run`` it is on, so that a child in another folder finds the settings file;
    said to be off, it keeps from children what has started the program."""
    prefix = (installations.wheel.script("mxcert"), "run", "--")
    ways = (_WAYS["plain"][0], _WAYS["scheduled"][0])
    _run(installations.wheel, folder, trust, inherit, *ways, prefix=prefix)

    both = [alpha.fingerprint, beta.fingerprint]
    child = [None, None] if inherit else both
    assert {"/parent": both, "/plain": child, "/scheduled": child} == seen_by(server, 3)


@pytest.mark.any_python
@pytest.mark.parametrize("inherit", ["on", ""])
def test_joblib(
    installations: Installations,
    server: TlsServer,
    trust: dict[str, str],
    folder: Path,
    alpha: Leaf,
    beta: Leaf,
    inherit: str,
) -> None:
    """The workers of loky, which joblib starts; without it they present nothing."""
    pytest.importorskip("joblib")
    _run(installations.wheel, folder, trust, inherit, "by_joblib()")

    both = [alpha.fingerprint, beta.fingerprint]
    worker = both if inherit else [None, None]
    assert {"/parent": both, "/joblib": worker} == seen_by(server, 2)


def test_an_environment_of_its_own(
    installations: Installations,
    server: TlsServer,
    trust: dict[str, str],
    folder: Path,
    alpha: Leaf,
    beta: Leaf,
) -> None:
    """The limit: a child that is given another environment is told nothing, until its caller adds
    the two variables; a Python without the package runs on as it is."""
    keep = '{name: os.environ[name] for name in ("SSL_CERT_FILE", "TARGET_PORT", *more)}'
    bare = installations.bare.python
    ways = (
        f"own = lambda *more: {keep}",
        'by_subprocess("own", env=own())',
        'by_subprocess("added", env=own("MXCERT_AUTOSTART", "MXCERT_CONFIG"))',
        f'by_subprocess("bare", python={bare!r})',
    )
    _run(installations.wheel, folder, trust, "on", *ways)

    both = [alpha.fingerprint, beta.fingerprint]
    seen = {"/parent": both, "/own": [None, None], "/added": both, "/bare": [None, None]}
    assert seen == seen_by(server, 4)
