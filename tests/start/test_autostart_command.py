"""``mxcert autostart``, and a build without the ``.pth`` file: without it nothing starts."""

from __future__ import annotations

import json
import os
import shutil
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_files import ClientFiles
from tests.support.installation import (
    AUTOSTART_FILE,
    AUTOSTART_SOURCE,
    Installation,
    Installations,
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


@pytest.fixture(scope="module")
def wheels_without(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the editable wheel of a build that leaves the file out."""
    folder = tmp_path_factory.mktemp("built")
    return build_wheels(folder, {"MXCERT_BUILD_AUTOSTART": "0"})


def _installed(folder: Path, wheel: Path) -> Installation:
    made = make_environment(folder / "environment")
    made.install(wheel)
    return made


@pytest.fixture
def installation(installations: Installations, tmp_path: Path) -> Installation:
    """The wheel as users have it, in an environment that a test may change."""
    (wheel,) = installations.folder.glob("wheel/*.whl")
    return _installed(tmp_path, wheel)


def _autostart(installation: Installation, *options: str) -> tuple[int, str]:
    command = (installation.script("mxcert"), "autostart", "--json", *options)
    done = installation.run(*command)
    return done.returncode, json.loads(done.stdout)["state"]


def _starts(installation: Installation, variables: dict[str, str], code: str = _LOOK) -> Any:
    environment = {**variables, "MXCERT_AUTOSTART": "1"}
    return installation.run(installation.python, "-c", code, environment=environment).json()


def test_removed_and_installed(
    installation: Installation, client_files: ClientFiles, alpha: Leaf
) -> None:
    """What it says is what an interpreter does; an import works all the while."""
    variables = client_files.variables(alpha)
    assert (0, "present") == _autostart(installation)
    assert (0, "absent") == _autostart(installation, "--remove")
    assert (0, "absent") == _autostart(installation, "--remove")
    assert (1, "absent") == _autostart(installation)
    assert False is _starts(installation, variables)
    assert True is _starts(installation, variables, _IMPORT)
    assert (0, "present") == _autostart(installation, "--install")
    assert True is _starts(installation, variables)


def test_a_file_that_is_not_ours(installation: Installation) -> None:
    """It is told apart, and put right."""
    path = installation.packages / AUTOSTART_FILE
    path.write_bytes(b"# another\n")
    assert (1, "changed") == _autostart(installation)
    assert (0, "present") == _autostart(installation, "--install")
    assert AUTOSTART_SOURCE.read_bytes() == path.read_bytes()


def test_a_folder_on_pythonpath(installation: Installation, tmp_path: Path) -> None:
    """The file is there, as after `pip install --target`, and no Python reads it."""
    packages = tmp_path / "target"
    shutil.copytree(installation.packages, packages)
    venv.create(tmp_path / "bare", symlinks=True, with_pip=False)
    command = (str(tmp_path / "bare/bin/python"), "-m", "mxcert_runtime", "autostart", "--json")
    done = installation.run(*command, environment={"PYTHONPATH": str(packages)})
    assert (1, "unread") == (done.returncode, json.loads(done.stdout)["state"])
    assert (0, "present") == _autostart(installation)


def test_a_package_that_is_not_installed(installation: Installation, tmp_path: Path) -> None:
    """No file is put where every Python would look for the package and end with 78."""
    packages = tmp_path / "copied"
    shutil.copytree(installation.packages, packages)
    for each in packages.glob("mxcert_runtime-*.dist-info"):
        shutil.rmtree(each)
    venv.create(tmp_path / "bare", symlinks=True, with_pip=False)
    command = (str(tmp_path / "bare/bin/python"), "-m", "mxcert_runtime", "autostart", "--install")
    done = installation.run(*command, environment={"PYTHONPATH": str(packages)})
    assert (1, True) == (done.returncode, "not installed" in done.stderr), done.stderr
    assert [] == list((tmp_path / "bare").rglob(AUTOSTART_FILE))


def test_run_refuses_without_it(
    installation: Installation, client_files: ClientFiles, alpha: Leaf
) -> None:
    """``mxcert run`` starts nothing that would run on without identities."""
    (installation.packages / AUTOSTART_FILE).unlink()
    command = (installation.script("mxcert"), "run", "--", installation.python, "-c", "print(1)")
    done = installation.run(*command, environment=client_files.variables(alpha))
    assert (78, "") == (done.returncode, done.stdout)
    assert "`mxcert autostart --install`" in done.stderr


def test_a_build_without_it(
    wheels_without: tuple[Path, Path], client_files: ClientFiles, alpha: Leaf, tmp_path: Path
) -> None:
    """Neither wheel has it, nothing starts; put there later, pip takes it away all the same."""
    for wheel in wheels_without:
        with zipfile.ZipFile(wheel) as archive:
            assert AUTOSTART_FILE not in archive.namelist()
    installation = _installed(tmp_path, wheels_without[0])
    variables = client_files.variables(alpha)
    assert (1, "absent") == _autostart(installation)
    assert False is _starts(installation, variables)
    assert (0, "present") == _autostart(installation, "--install")
    assert True is _starts(installation, variables)
    words = ("-m", "pip", "uninstall", "--yes", "--quiet", "--disable-pip-version-check")
    done = installation.run(installation.python, *words, "mxcert-runtime")
    assert 0 == done.returncode, done.stderr
    # What is left over would end each Python that is asked to start the plugin.
    assert not (installation.packages / AUTOSTART_FILE).exists()
