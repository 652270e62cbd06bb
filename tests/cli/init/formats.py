"""What ``mxcert init`` prints, read as those read it for whom each format is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

HOST, OTHER = "api.billing.example", "other.example"
PASSWORD = "pass phrase Zx9"
#: what a unit says, as systemd reads it: systemd.syntax(7)
_ESCAPES = {"\\x22": '"', "\\\\": "\\", "\\n": "\n"}

#: runs the command with these arguments; gives its exit status, stdout and stderr
Init = Callable[..., "tuple[int, str, str]"]
Variables = dict[str, str]


def of_shell(text: str, _: Path) -> Variables:
    command = f"{text}\nenv --null"
    done = subprocess.run(["bash", "-c", command], env={}, capture_output=True, text=True)
    pairs = (each.split("=", 1) for each in done.stdout.split("\0") if "=" in each)
    return {name: value for name, value in pairs if name not in ("PWD", "SHLVL", "_")}


def _of_lines(text: str, _: Path) -> Variables:
    """As docker reads it: what stands behind the first `=`, as it is."""
    return dict(line.split("=", 1) for line in text.splitlines())


def _of_toml(text: str, folder: Path) -> Variables:
    path = folder / "mxcert.toml"
    path.write_text(text, encoding="utf-8")
    return {"MXCERT_CONFIG": str(path)}


def of_kubernetes(text: str, folder: Path) -> Variables:
    """The files as they are mounted, below a folder in the place of the pod's root."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    by_kind = {each["kind"]: each for each in yaml.safe_load_all(text)}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    places = {each["name"]: Path(each["mountPath"]) for each in container["volumeMounts"]}
    for volume in pod["volumes"]:
        place = folder / places[volume["name"]].relative_to("/")
        place.mkdir(parents=True)
        for name, content in _mounted(volume, by_kind).items():
            content = (
                content.replace(b'"/', f'"{folder}/'.encode()) if b"[[" in content else content
            )
            (place / name).write_bytes(content)
            (place / name).chmod(0o400)
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert "1" == variables.pop("MXCERT_AUTOSTART")
    return {name: f"{folder}{value}" for name, value in variables.items()}


def _mounted(volume: Mapping[str, Any], by_kind: Mapping[str, Any]) -> dict[str, bytes]:
    import base64

    if "secret" in volume:
        assert volume["secret"]["defaultMode"] == 0o440
        assert by_kind["Secret"]["metadata"]["name"] == volume["secret"]["secretName"]
        data = by_kind["Secret"]["data"].items()
        return {name: base64.b64decode(each, validate=True) for name, each in data}
    assert by_kind["ConfigMap"]["metadata"]["name"] == volume["configMap"]["name"]
    return {name: each.encode() for name, each in by_kind["ConfigMap"]["data"].items()}


def _of_unit(text: str, folder: Path) -> Variables:
    """What systemd makes of a drop-in: a folder of credentials, and variables."""
    credentials = folder / "credentials"
    credentials.mkdir()
    variables = {"CREDENTIALS_DIRECTORY": str(credentials)}
    section, *lines = text.splitlines()
    assert "[Service]" == section
    for key, _, value in (line.partition("=") for line in lines):
        name, _, rest = value.partition(":")
        if key == "LoadCredential":
            content = Path(rest.replace("%%", "%")).read_bytes()
            (credentials / name).write_bytes(content)
        elif key == "SetCredential":
            (credentials / name).write_text(_unescaped(rest), encoding="utf-8")
        else:
            assert "Environment" == key
            word = value[1:-1] if value.startswith('"') else value
            variable, _, said = _unescaped(word).replace("%%", "%").partition("=")
            variables[variable] = said
    assert "1" == variables.pop("MXCERT_AUTOSTART")
    return variables


def _unescaped(text: str) -> str:
    for escape, meant in _ESCAPES.items():
        text = text.replace(escape, meant)
    return text


WAYS: dict[str, Callable[[str, Path], Variables]] = {
    "env": of_shell,
    "env-file": _of_lines,
    "toml": _of_toml,
    "kubernetes": of_kubernetes,
    "systemd": _of_unit,
}

Use = Callable[[Variables], "list[str | None]"]
