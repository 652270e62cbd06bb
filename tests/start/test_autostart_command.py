"""``mxcert autostart``, and a build without the ``.pth`` file: without it nothing starts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_files import ClientFiles
from tests.support.installation import (
    AUTOSTART_FILE,
    AUTOSTART_SOURCE,
    Installation,
    build_wheels,
    make_environment,
)
from tests.support.pki import Leaf

pytestmark = [
    pytest.mark.any_python,
    pytest.mark.skipif(os.name == "nt", reason="looks for commands where POSIX has them"),
]

_LOOK = """\
import json, ssl, sys
print(json.dumps("mxcert_runtime" in sys.modules))
"""
_IMPORT = """\
import json, mxcert_runtime
print(json.dumps(mxcert_runtime.is_active()))
"""


@pytest.fixture(scope="module", params=["1", "0"], ids=["with", "without"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An environment of its own with a wheel, which a build made with the file or without."""
    folder = tmp_path_factory.mktemp("built")
    wheel, editable = build_wheels(folder, {"MXCERT_BUILD_AUTOSTART": request.param})
    return wheel, editable, request.param == "1"


@pytest.fixture
def installation(built: tuple[Path, Path, bool], tmp_path: Path) -> Installation:
    """The wheel, installed anew."""
    made = make_environment(tmp_path / "environment")
    made.install(built[0])
    return made


def _autostart(installation: Installation, *options: str) -> tuple[int, str]:
    command = (installation.script("mxcert"), "autostart", "--json", *options)
    done = installation.run(*command)
    return done.returncode, json.loads(done.stdout)["state"]


def _starts(installation: Installation, variables: dict[str, str], code: str = _LOOK) -> Any:
    environment = {**variables, "MXCERT_AUTOSTART": "1"}
    return installation.run(installation.python, "-c", code, environment=environment).json()


def test_removed_and_installed(
    built: tuple[Path, Path, bool],
    installation: Installation,
    client_files: ClientFiles,
    alpha: Leaf,
) -> None:
    """What it says is what an interpreter does, however the wheel was built."""
    is_built_with = built[2]
    variables = client_files.variables(alpha)
    assert is_built_with == _starts(installation, variables)
    assert ((0, "present") if is_built_with else (1, "absent")) == _autostart(installation)
    assert (0, "absent") == _autostart(installation, "--remove")
    assert (0, "absent") == _autostart(installation, "--remove")
    assert False is _starts(installation, variables)
    assert True is _starts(installation, variables, _IMPORT)
    assert (0, "present") == _autostart(installation, "--install")
    assert True is _starts(installation, variables)
    path = installation.packages / AUTOSTART_FILE
    assert AUTOSTART_SOURCE.read_bytes() == path.read_bytes()
    path.write_bytes(b"# another\n")
    assert (1, "changed") == _autostart(installation)
    assert (0, "present") == _autostart(installation, "--install")


def test_pip_takes_it_away(installation: Installation) -> None:
    """Also where the command has put it there: what is left over would end programs with 78."""
    assert (0, "present") == _autostart(installation, "--install")
    words = ("-m", "pip", "uninstall", "--yes", "--quiet", "--disable-pip-version-check")
    done = installation.run(installation.python, *words, "mxcert-runtime")
    assert 0 == done.returncode, done.stderr
    assert not (installation.packages / AUTOSTART_FILE).exists()


def test_run_refuses_without_it(
    installation: Installation, client_files: ClientFiles, alpha: Leaf
) -> None:
    """``mxcert run`` starts nothing that would run on without identities."""
    _autostart(installation, "--remove")
    command = (installation.script("mxcert"), "run", "--", installation.python, "-c", "print(1)")
    done = installation.run(*command, environment=client_files.variables(alpha))
    assert (78, "") == (done.returncode, done.stdout)


def test_an_editable_build(built: tuple[Path, Path, bool]) -> None:
    """The setting of the build counts for it as well."""
    import zipfile

    with zipfile.ZipFile(built[1]) as archive:
        assert built[2] == (AUTOSTART_FILE in archive.namelist())
