"""What the environment says to child Pythons while settings are in force, and after that."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from mxcert_runtime import activate, deactivate, is_active, reload
from mxcert_runtime.base import change_environ
from mxcert_runtime.diagnosis import check_inheritance
from mxcert_runtime.settings import read_settings
from mxcert_runtime.start import inheritance
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf

_AUTOSTART, _CONFIG = "MXCERT_AUTOSTART", "MXCERT_CONFIG"


@pytest.fixture
def config(
    client_files: ClientFiles, alpha: Leaf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A settings file that the environment names by a relative path."""
    path = tmp_path / "mxcert.json"
    _write(path, client_files, alpha)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(_CONFIG, "mxcert.json")
    return path


def _write(path: Path, files: ClientFiles, leaf: Leaf, **more: Any) -> None:
    entry = files.identity("alpha", leaf, hosts=["localhost"])
    path.write_text(json.dumps({"identity": [entry], **more}), encoding="utf-8")


def _said() -> tuple[str | None, str | None]:
    return os.environ.get(_AUTOSTART), os.environ.get(_CONFIG)


@pytest.mark.parametrize("before", [None, "0", ""])
def test_on(config: Path, monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    """Children are asked to start it, and find the settings file from anywhere; after that all is
    as it was, to the letter."""
    monkeypatch.setenv("MXCERT_INHERIT", "1")
    if before is not None:
        monkeypatch.setenv(_AUTOSTART, before)
    environment = dict(os.environ)
    activate()
    assert ("1", str(config)) == _said()
    deactivate()
    assert environment == dict(os.environ)


def test_unset(config: Path) -> None:
    """The twin: by default not one variable is touched."""
    environment = dict(os.environ)
    activate()
    assert environment == dict(os.environ)


def test_off(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off, said so, keeps from children what has started this process; deactivated, it is back."""
    monkeypatch.setenv("MXCERT_INHERIT", "off")
    monkeypatch.setenv(_AUTOSTART, "yes")
    activate()
    assert (None, "mxcert.json") == _said()
    deactivate()
    assert ("yes", "mxcert.json") == _said()


def test_what_others_have_written(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that says something else to its children is not overruled, neither by a second
    activation nor by the end of it."""
    monkeypatch.setenv("MXCERT_INHERIT", "1")
    activate()
    os.environ[_AUTOSTART] = "0"
    del os.environ[_CONFIG]
    deactivate()
    assert ("0", None) == _said()


def test_activated_again(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second activation adds nothing, and what was there before the first comes back."""
    monkeypatch.setenv("MXCERT_INHERIT", "1")
    environment = dict(os.environ)
    activate()
    activate()
    assert ("1", str(config)) == _said()
    deactivate()
    assert environment == dict(os.environ)


def test_reload(config: Path, client_files: ClientFiles, alpha: Leaf) -> None:
    """The file may say it, and may come to say otherwise."""
    environment = dict(os.environ)
    activate()
    _write(config, client_files, alpha, inherit=True)
    reload()
    assert ("1", str(config)) == _said()
    _write(config, client_files, alpha)
    reload()
    assert environment == dict(os.environ)


def test_settings_of_code(
    client_files: ClientFiles, alpha: Leaf, caplog: pytest.LogCaptureFixture
) -> None:
    """What activate() was given no child can read: nothing is handed on, one warning says it."""
    environment = dict(os.environ)
    entry = client_files.identity("alpha", alpha, hosts=["localhost"])
    activate({"identity": [entry], "inherit": True})
    assert environment == dict(os.environ)
    (told,) = [each for each in caplog.messages if "inherit" in each]
    assert "settings that activate() was given stay in this process" in told
    assert _CONFIG in told


def test_settings_of_code_without(
    client_files: ClientFiles, alpha: Leaf, caplog: pytest.LogCaptureFixture
) -> None:
    """The twin: where nothing is to be handed on, nothing is warned of."""
    activate({"identity": [client_files.identity("alpha", alpha, hosts=["localhost"])]})
    assert [] == caplog.messages


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "child Pythons have it only if they import it; MXCERT_INHERIT=1 starts it there"),
        ({"MXCERT_INHERIT": "0"}, "child Pythons have it only if they import it"),
        ({"MXCERT_INHERIT": "1"}, "child Pythons start with it, by MXCERT_AUTOSTART=1"),
        ({_AUTOSTART: "on"}, "child Pythons start with it, by MXCERT_AUTOSTART=1"),
    ],
)
def test_the_log(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    said: dict[str, str],
    told: str,
) -> None:
    """The line of the activation ends with what children have, and with how they have it."""
    caplog.set_level(logging.INFO, "mxcert_runtime")
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    activate()
    assert [told] == [
        each.rpartition("; hooked: ")[2].partition("; ")[2] for each in caplog.messages
    ]


@pytest.mark.parametrize("inherit", ["1", "0"])
def test_relative_paths(
    client_files: ClientFiles, alpha: Leaf, monkeypatch: pytest.MonkeyPatch, inherit: str
) -> None:
    """A path in the environment that children may not find is told of, once for its variable."""
    variables = client_files.variables(alpha)
    monkeypatch.chdir(client_files.folder)
    environ = {**variables, "MXCERT_INHERIT": inherit}
    assert [] == list(check_inheritance(read_settings(environ).settings))
    environ["ClientCertificates"] = os.path.basename(environ["ClientCertificates"])
    found = list(check_inheritance(read_settings(environ).settings))
    assert ["not-inherited"] * (inherit == "1") == [each.code.value for each in found]
    assert all(environ["ClientCertificates"] in each.problem for each in found)


def test_a_variable_that_goes_meanwhile(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that another thread takes out while the environment is read fails nothing."""

    class Going(dict):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[str]:
            return iter([*super().__iter__(), "GOES"])

        keys = __iter__  # type: ignore[assignment]

    environ = Going(os.environ)
    with pytest.raises(KeyError):
        dict(MappingProxyType(environ))
    monkeypatch.setattr(os, "environ", environ)
    activate()
    assert is_active()


def test_taken_out_by_another_thread(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is where the variable that is to go goes by itself."""

    class Going(dict):  # type: ignore[type-arg]
        def __getitem__(self, name: str) -> str:
            return str(super().__getitem__(name))

        def __delitem__(self, name: str) -> None:
            super().__delitem__(name)
            raise KeyError(name)

        def pop(self, name: str, *default: Any) -> Any:
            del self[name]

    monkeypatch.setattr(os, "environ", Going(os.environ))
    monkeypatch.setenv("MXCERT_INHERIT", "off")
    os.environ[_AUTOSTART] = "1"
    activate()
    assert (None, "mxcert.json") == _said()


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("act", [deactivate, activate, reload])
def test_a_signal_handler_in_the_midst(
    config: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], count: int
) -> None:
    """What a handler does once a variable is changed holds in the end, and all is put back."""
    monkeypatch.setenv("MXCERT_INHERIT", "1")
    environment = dict(os.environ)
    changed: list[str] = []

    def change(name: str, value: str | None) -> None:
        change_environ(name, value)
        changed.append(name)
        if len(changed) == count:
            act()

    monkeypatch.setattr(inheritance, "change_environ", change)
    activate()
    expected = (None, "mxcert.json") if act is deactivate else ("1", str(config))
    assert expected == _said()
    deactivate()
    assert environment == dict(os.environ)
