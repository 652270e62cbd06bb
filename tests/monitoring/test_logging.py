"""``MXCERT_LOG``: the log of programs that configure none, and of no others."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate, deactivate
from tests.settings.readings import only_fault, read, sound
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf
from tests.support.subprocesses import run_client

logger = logging.getLogger("mxcert_runtime")


@pytest.fixture
def settings(client_files: ClientFiles, alpha: Leaf) -> dict[str, Any]:
    """One identity."""
    return {"identity": [client_files.identity("alpha", alpha, hosts=["localhost"])]}


LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO \[%s\] mxcert_runtime: active: 1 identities.*"

_PROGRAM = """
import json, logging, os, sys
import mxcert_runtime
logger = logging.getLogger("mxcert_runtime")
level = logger.level

def warn(text):
    logger.debug("not " + text)
    logger.warning(text)

warn("alone")
own = logging.StreamHandler(sys.stdout)
own.setFormatter(logging.Formatter("own %(message)s"))
for owner in (logging.getLogger(), logger):
    owner.addHandler(own)
    warn("handled")
    owner.removeHandler(own)
logger.propagate = False
logging.getLogger().addHandler(own)
warn("alone again")
logging.getLogger().removeHandler(own)
mxcert_runtime.deactivate()
warn("last resort")
print(json.dumps([os.getpid(), level, logger.level, logger.handlers, logger.propagate]))
"""


def test_standard_error(client_files: ClientFiles, alpha: Leaf) -> None:
    """Lines have time, level and process; where the program handles them they show once."""
    environment = {**client_files.variables(alpha), "MXCERT_LOG": "info"}
    done = run_client(_PROGRAM, environment=environment, host_patterns=())
    pid, *state = done.json()
    assert [logging.INFO, logging.NOTSET, [], False] == state
    lines = done.stderr.splitlines()
    assert re.fullmatch(LINE % pid, lines[0])
    said = [line.rpartition(": ")[2] for line in lines[1:]]
    assert ["alone", "alone again", "last resort"] == said
    assert ["own handled", "own handled"] == done.stdout.splitlines()[:-1]


def test_nothing_without_the_variable(client_files: ClientFiles, alpha: Leaf) -> None:
    """The twin of the above: without it the log is the program's alone, warnings apart."""
    environment = client_files.variables(alpha)
    done = run_client(_PROGRAM, environment=environment, host_patterns=())
    assert [logging.NOTSET, logging.NOTSET, [], False] == done.json()[1:]
    assert ["alone", "alone again", "last resort"] == done.stderr.splitlines()


@pytest.mark.parametrize("level", ["debug", "Info", " WARNING ", "error"])
def test_levels(level: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each level is the logger's while the settings are in force, and its own again after."""
    monkeypatch.setenv("MXCERT_LOG", level)
    activate(settings)
    assert getattr(logging, level.strip().upper()) == logger.level
    assert 1 == len(logger.handlers)
    activate(settings)
    assert 1 == len(logger.handlers)
    deactivate()
    assert (logging.NOTSET, []) == (logger.level, logger.handlers)


def test_a_level_that_the_program_sets_stays(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deactivation takes back what is ours, not what the program set meanwhile."""
    monkeypatch.setenv("MXCERT_LOG", "debug")
    activate(settings)
    logger.setLevel(logging.ERROR)
    try:
        deactivate()
        assert (logging.ERROR, []) == (logger.level, logger.handlers)
    finally:
        logger.setLevel(logging.NOTSET)


def test_a_file(settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gets the lines, whoever else handles them, and a new one when it is moved away."""
    path = tmp_path / "log: ä.txt"
    monkeypatch.setenv("MXCERT_LOG", f"info:{path}")
    activate(settings)
    assert re.fullmatch(LINE % os.getpid(), path.read_text(encoding="utf-8").rstrip("\n"))
    path.rename(tmp_path / "old")
    logger.warning("later")
    logger.debug("never")
    deactivate()
    logger.warning("after the end")
    [line] = path.read_text(encoding="utf-8").splitlines()
    assert line.endswith("later")


def test_another_activation_changes_the_log(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the variable says at the last activation counts."""
    first, second = tmp_path / "first", tmp_path / "second"
    for text in (f"info:{first}", f"error:{second}"):
        monkeypatch.setenv("MXCERT_LOG", text)
        activate(settings)
    logger.error("an error")
    assert ["active", "an error"] == [
        "active" if "active: 1" in path.read_text() else path.read_text().split(": ")[1].strip()
        for path in (first, second)
    ]
    monkeypatch.delenv("MXCERT_LOG")
    activate(settings)
    assert (logging.NOTSET, []) == (logger.level, logger.handlers)


FAULTS = [
    ("verbose", "has a value that is not known"),
    ("1", "has a value that is not known"),
    ("/var/log/mxcert.log", "has a value that is not known"),
    ("info:", "names no file behind the colon"),
    ("info:/nonexistent/folder/log", "its directory does not exist"),
    ("info:/", "it is a directory"),
    ("info:/tmp/a\nb", "control character"),
]


@pytest.mark.parametrize(("text", "problem"), FAULTS)
def test_faults(text: str, problem: str) -> None:
    """What cannot be used is a fault with its origin."""
    fault = only_fault(read({"MXCERT_LOG": text}))
    assert ("environment variable MXCERT_LOG", True) == (fault.origin, problem in fault.problem)


@pytest.mark.parametrize("text", ["", " ", "debug", "ERROR:log.txt", r"info:C:\logs\mxcert.log"])
def test_no_faults(text: str) -> None:
    """The twin of the above; a path is taken as it stands."""
    log = sound(read({"MXCERT_LOG": text})).settings.log
    assert (text.partition(":")[2] or None) == (log.path if log else None)


def test_a_fault_is_told_with_the_others(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All faults come together, and nothing is changed."""
    monkeypatch.setenv("MXCERT_LOG", "verbose")
    settings["identity"][0]["password"] = "wrong"
    with pytest.raises(SettingsError) as caught:
        activate(settings)
    assert 2 == len(caught.value.faults)
    assert (logging.NOTSET, []) == (logger.level, logger.handlers)


def test_a_file_that_cannot_be_opened(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only opening the file shows is a fault as well, and nothing is activated."""
    monkeypatch.setenv("MXCERT_LOG", "info:" + "x" * 256)
    with pytest.raises(SettingsError) as caught:
        activate(settings)
    [fault] = caught.value.faults
    assert "environment variable MXCERT_LOG" == fault.origin
    assert "cannot be written: File name too long" in fault.problem
    assert caught.value.__context__ is None
    assert (logging.NOTSET, []) == (logger.level, logger.handlers)


def test_hooks_are_told_with_versions(client_files: ClientFiles, alpha: Leaf) -> None:
    """What is hooked at activation stands in its line, what is imported later in one of its own."""
    script = """
        import json
        import urllib3.connection
        import mxcert_runtime
        import requests
        print(json.dumps([urllib3.__version__, requests.__version__]))
    """
    environment = {**client_files.variables(alpha), "MXCERT_LOG": "debug"}
    done = run_client(script, environment=environment, host_patterns=())
    early, late = done.json()
    [line] = [line for line in done.stderr.splitlines() if "active: " in line]
    assert f", urllib3.connection {early}" in line
    assert "requests" not in line
    assert f"DEBUG hooked: requests.adapters {late}" in re.sub(r" \[.*?: ", " ", done.stderr)
