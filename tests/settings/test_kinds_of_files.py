"""Whatever file a setting names: a pipe, a device or a socket is one clear fault, and no wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.errors import SettingsError
from mxcert_runtime.monitoring.log_output import direct_log
from mxcert_runtime.settings import names, scalars
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.model import LogLevel, LogSettings, Reading
from tests.settings.readings import read
from tests.support.subprocesses import run_client

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the kinds of files are POSIX")


def _native(**identity: Any) -> Reading:
    return settings_from({"identity": [identity]}, environ={})


#: every setting that names a file, as a reading of a path
SETTINGS: dict[str, Callable[[str], Reading]] = {
    **{
        name + names.FILE_SUFFIX: lambda path, name=name: read({name + names.FILE_SUFFIX: path})
        for name in scalars.WITH_FILE
    },
    "MXCERT_CONFIG": lambda path: read({"MXCERT_CONFIG": path}),
    "ClientCertificates": lambda path: read({"ClientCertificates": path}),
    "CACertificates": lambda path: read({"CACertificates": path}),
    "pkcs12": lambda path: _native(pkcs12=path),
    "certificate": lambda path: _native(certificate=path),
    "key": lambda path: _native(certificate=__file__, key=path),
    "password_file": lambda path: _native(pkcs12=__file__, password_file=path),
    "ca": lambda path: settings_from({"ca": [path]}, environ={}),
}


def _faults(reading: Reading) -> str:
    with pytest.raises(SettingsError) as caught:
        build_generation(reading)
    return str(caught.value)


def test_a_pipe_into_which_nobody_writes(tmp_path: Path) -> None:
    """No start of a program is held up; all settings at once, since each waits a while."""
    path = tmp_path / "pipe.toml"
    os.mkfifo(path)
    with ThreadPoolExecutor(len(SETTINGS)) as threads:
        told = threads.map(lambda read: _faults(read(str(path))), SETTINGS.values())
        others = {
            name: faults
            for name, faults in zip(SETTINGS, told)
            if "it is a pipe into which nobody writes" not in faults
        }
    assert {} == others


@pytest.mark.parametrize("name", SETTINGS)
def test_a_device_without_an_end(name: str, tmp_path: Path) -> None:
    """It does not take all memory."""
    path = tmp_path / "zero.toml"
    path.symlink_to("/dev/zero")
    assert "it is a device" in _faults(SETTINGS[name](str(path)))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_file_that_is_far_too_large(name: str, tmp_path: Path) -> None:
    """A disk image, or what a mistake made of a log, is not read to its end."""
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(1024**4)
    assert "larger than" in _faults(SETTINGS[name](str(path)))


def test_a_log_that_nobody_reads(tmp_path: Path) -> None:
    """A pipe without a reader is a fault; with one it gets the log."""
    path = tmp_path / "log"
    os.mkfifo(path)
    log = LogSettings(LogLevel.INFO, str(path))
    with pytest.raises(SettingsError, match="a pipe from which nobody reads"):
        direct_log(log)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        direct_log(log)
    finally:
        direct_log(None)
        os.close(reader)


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    """A relative path where the working directory was deleted is a fault like any other."""
    script = """
        import json, os, sys, tempfile
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)
        from mxcert_runtime.settings.loading import read_settings
        reading = read_settings({"MXCERT_CONFIG": "x.toml"}, default_file="/nonexistent")
        print(json.dumps([str(fault) for fault in reading.faults]))
    """
    [fault] = run_client(script, host_patterns=()).json()
    assert "names the file `x.toml`, which cannot be read: No such file" in fault
