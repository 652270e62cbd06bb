"""Programs whose parent alone imports the plugin, and what a server sees of their children."""

from __future__ import annotations

import json
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Parent:
    """The program as it is started; its settings file's path holds in its own folder alone."""

    installation: Installation
    folder: Path
    trust: dict[str, str]
    both: list[str]

    def run(self, inherit: str, *ways: str, prefix: tuple[str, ...] = ()) -> None:
        """Run it, which starts its children in these ways."""
        text = _PROGRAM.replace("{ways}", "; ".join(ways))
        (self.folder / "program.py").write_text(text, encoding="utf-8")
        said = {"MXCERT_CONFIG": "mxcert.json", **({"MXCERT_INHERIT": inherit} if inherit else {})}
        command = *prefix, self.installation.python, "program.py"
        done = self.installation.run(
            *command, folder=self.folder, environment={**self.trust, **said}
        )
        assert (0, "") == (done.returncode, done.stderr)


@pytest.fixture
def parent(
    installations: Installations, folder: Path, environment: dict[str, str], alpha: Leaf, beta: Leaf
) -> Parent:
    """The program, and what it calls the server by, without settings."""
    trust = {name: environment[name] for name in ("SSL_CERT_FILE", "TARGET_PORT")}
    return Parent(installations.wheel, folder, trust, [alpha.fingerprint, beta.fingerprint])


@pytest.mark.any_python
@pytest.mark.parametrize("inherit", ["on", "", "off"])
def test_ways(parent: Parent, server: TlsServer, inherit: str) -> None:
    """With ``MXCERT_INHERIT=on`` each child is served, however it is started; without it only
    those that have the parent's memory."""
    parent.run(inherit, *(code for code, _ in _WAYS.values()))

    expected = {
        f"/{name}": parent.both if has or inherit == "on" else [None, None]
        for name, (_, has) in _WAYS.items()
    }
    assert {"/parent": parent.both, **expected} == seen_by(server, 1 + len(_WAYS))


@pytest.mark.any_python
@pytest.mark.parametrize("inherit", ["", "off"])
def test_by_run(parent: Parent, server: TlsServer, inherit: str) -> None:
    """Under ``mxcert run`` it is on, so that a child in another folder finds the settings file;
    said to be off, it keeps from children what has started the program."""
    prefix = (parent.installation.script("mxcert"), "run", "--")
    parent.run(inherit, _WAYS["plain"][0], _WAYS["scheduled"][0], prefix=prefix)

    child = [None, None] if inherit else parent.both
    expected = {"/parent": parent.both, "/plain": child, "/scheduled": child}
    assert expected == seen_by(server, 3)


@pytest.mark.any_python
@pytest.mark.parametrize("inherit", ["on", ""])
def test_joblib(parent: Parent, server: TlsServer, inherit: str) -> None:
    """The workers of loky, which joblib starts; without it they present nothing."""
    pytest.importorskip("joblib")
    parent.run(inherit, "by_joblib()")

    worker = parent.both if inherit else [None, None]
    assert {"/parent": parent.both, "/joblib": worker} == seen_by(server, 2)


def test_an_environment_of_its_own(
    parent: Parent, installations: Installations, server: TlsServer
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
    parent.run("on", *ways)

    both = parent.both
    seen = {"/parent": both, "/own": [None, None], "/added": both, "/bare": [None, None]}
    assert seen == seen_by(server, 4)
