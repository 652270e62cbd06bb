"""A pex file that brings the package along, made by pex itself."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.start.distributions import (
    PACKAGE,
    copy_distribution,
    dependencies,
    empty_environment,
    extract_package,
)
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.installation import TIMEOUT, Installation, Installations, once
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.any_python

_APPLICATION = """\
import json, os, urllib.request
url = "https://localhost:%s/" % os.environ["TARGET_PORT"]
print(json.load(urllib.request.urlopen(url))["fingerprint"])
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The environment that the pex file is run with."""
    return empty_environment(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def pex_file(installations: Installations) -> Path:
    """The application with the package and its dependencies, once in a parallel run."""
    if importlib.util.find_spec("pex") is None:
        pytest.skip("pex is not installed")
    folder = installations.folder.parent / "pex"
    once(folder, lambda: _make_pex_file(installations, folder))
    return folder / "bundle.pex"


def _make_pex_file(installations: Installations, folder: Path) -> None:
    """By pex itself; nothing is fetched."""
    repository = empty_environment(folder / "repository")
    extract_package(installations, repository.packages)
    for name in dependencies():
        copy_distribution(name, repository.packages)
    (folder / "sources").mkdir()
    (folder / "sources" / "application.py").write_text(_APPLICATION, encoding="utf-8")
    command = [sys.executable, "-m", "pex", PACKAGE, "--venv-repository", repository.python]
    command += ["--sources-directory", str(folder / "sources"), "--entry-point", "application"]
    command += ["--output-file", "bundle.pex", "--pex-root", "root", "--no-compile"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer]) -> TlsServer:
    """It takes every client."""
    return tls_server()


@pytest.fixture
def environment(
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    server: TlsServer,
    pex_file: Path,
) -> dict[str, str]:
    """Settings that can be used."""
    settings = client_files.variables(alpha)
    trust = {"SSL_CERT_FILE": str(client_files.authority(authority))}
    unpacked = {"PEX_ROOT": str(pex_file.parent / "unpacked")}
    return {**settings, **trust, **unpacked, "TARGET_PORT": str(server.port)}


def test_autostart(
    bare: Installation,
    pex_file: Path,
    server: TlsServer,
    environment: dict[str, str],
    alpha: Leaf,
) -> None:
    """Its wheels come one site folder at a time."""
    asked = {**environment, "MXCERT_AUTOSTART": "1"}

    done = bare.run(bare.python, str(pex_file), environment=asked)

    assert (0, f"{alpha.fingerprint}\n", "") == (done.returncode, done.stdout, done.stderr)
    assert [alpha.fingerprint] == [each["fingerprint"] for each in server.answers]


def test_without_autostart(
    bare: Installation, pex_file: Path, server: TlsServer, environment: dict[str, str]
) -> None:
    """The twin: nothing is presented."""
    done = bare.run(bare.python, str(pex_file), environment=environment)

    assert (0, "None\n", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("kind", ["itself", "by a Python"])
def test_run(
    installations: Installations,
    bare: Installation,
    pex_file: Path,
    server: TlsServer,
    environment: dict[str, str],
    alpha: Leaf,
    kind: str,
) -> None:
    """``mxcert run`` of another environment asks the bundle itself whether the plugin is in it."""
    command = [str(pex_file)] if kind == "itself" else [bare.python, str(pex_file)]

    done = bare.run(
        *(installations.wheel.script("mxcert"), "run", "--", *command), environment=environment
    )

    assert (0, f"{alpha.fingerprint}\n", "") == (done.returncode, done.stdout, done.stderr)
