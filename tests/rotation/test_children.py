"""Children of a program whose certificate was renewed: each presents the new one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rotation.renewal import Renewal
from tests.support.subprocesses import ROOT, client_environment

_PROGRAM = """
import json, multiprocessing, os, ssl, sys

import mxcert_runtime
from tests.support.plain_client import fetch

def ask(url, ca_file):
    return fetch(url, ssl.create_default_context(cafile=ca_file))["fingerprint"]

def tell(writing, url, ca_file):
    writing.send(ask(url, ca_file))

if __name__ == "__main__":
    method, url, ca_file, folder = sys.argv[1:]
    processes = multiprocessing.get_context(method)
    if method == "forkserver":
        processes.set_forkserver_preload(["__main__"])

    def child():
        reading, writing = processes.Pipe(duplex=False)
        process = processes.Process(target=tell, args=(writing, url, ca_file))
        process.start()
        seen = reading.recv()
        process.join()
        return seen

    seen = [ask(url, ca_file), child()]
    for suffix in (".crt", ".key"):
        os.replace(os.path.join(folder, "fresh" + suffix), os.path.join(folder, "renewed" + suffix))
    print(json.dumps([*seen, child()]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows only spawns")
@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_children(method: str, renewal: Renewal, tmp_path: Path) -> None:
    """A child that begins after the renewal, by every way that multiprocessing has."""
    scene, leaf = renewal.scene, renewal.fresh()
    renewal.write(leaf, "fresh")
    renewal.leaf = scene.alpha
    config, program = tmp_path / "mxcert.json", tmp_path / "program.py"
    entries = renewal.settings(watch=86400)
    entries["identity"][0]["hosts"] = ["localhost"]
    config.write_text(json.dumps(entries))
    program.write_text(_PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program), method, scene.server.url(), scene.ca_file, str(tmp_path)],
        env={**client_environment(), "MXCERT_CONFIG": str(config), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    alpha = scene.alpha.fingerprint
    assert [alpha, alpha, leaf.fingerprint] == json.loads(done.stdout)
