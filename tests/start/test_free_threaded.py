"""A free-threaded build of Python: refused by a clear error, before anything is hooked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig

import pytest

from mxcert_runtime import activate, is_active
from mxcert_runtime.base import is_free_threaded, refuse_free_threading
from mxcert_runtime.cli import main
from mxcert_runtime.errors import UnsupportedPythonError
from tests.support.client_files import ClientFiles
from tests.support.environment import cleaned
from tests.support.pki import Leaf
from tests.support.subprocesses import ROOT

_BUILDS = {
    "3.14": ("3.14.2 (main, Jan  1 2026, 00:00:00) [GCC 13]", False),
    "3.13t": ("3.13.15 experimental free-threading build (main, Nov 26 2026) [GCC 12.2.0]", True),
    "3.14t": ("3.14.2 free-threading build (main, Jan  1 2026, 00:00:00) [GCC 13]", True),
}
_START = "from mxcert_runtime.start.asked_for import activate_or_end; activate_or_end()"


@pytest.mark.parametrize("build", _BUILDS)
def test_detection(build: str) -> None:
    """What ``sys.version`` says of a build decides, whether its GIL is on or off."""
    version, expected = _BUILDS[build]
    assert expected == is_free_threaded(version)
    if expected:
        with pytest.raises(UnsupportedPythonError, match="free-threaded build"):
            refuse_free_threading(version)


def test_this_python() -> None:
    """The interpreter at hand says the same as the configuration that it was made by."""
    assert bool(sysconfig.get_config_var("Py_GIL_DISABLED")) == is_free_threaded()


@pytest.mark.parametrize("build", _BUILDS)
def test_activation(
    build: str, client_files: ClientFiles, alpha: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are not put in force there, and are with a GIL."""
    version, refused = _BUILDS[build]
    monkeypatch.setattr(refuse_free_threading, "__defaults__", (version,))
    settings = {"identity": [client_files.identity("alpha", alpha, hosts=["localhost"])]}
    if refused:
        with pytest.raises(UnsupportedPythonError, match="MXCERT_DISABLE=1"):
            activate(settings)
    else:
        activate(settings)
    assert (not refused) == is_active()


def test_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """``mxcert check`` has it among its errors."""
    monkeypatch.setattr(is_free_threaded, "__defaults__", (_BUILDS["3.14t"][0],))
    assert 1 == main(["check", "--json"])
    assert "unsupported-python" in capsys.readouterr().out


def test_a_real_one() -> None:
    """A real build, where there is one, ends with 78 under autostart and says why."""
    python = next(filter(None, map(shutil.which, ("python3.14t", "python3.13t"))), None)
    if python is None:
        pytest.skip("no free-threaded Python is installed")
    environment = {**cleaned(os.environ), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [python, "-c", _START],
        env={**environment, "MXCERT_AUTOSTART": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert 78 == done.returncode
    assert "free-threaded build" in done.stderr
