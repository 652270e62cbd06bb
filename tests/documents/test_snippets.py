"""Every snippet of README.md and the documents is at least read by what it is written for."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mxcert_runtime.cli import _at_hand, _parser
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.schema import schema_text
from tests.settings.readings import read

from .pages import DOCS, PAGES, ROOT, Snippet, snippets

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: settings of these pages are read as they stand there; the others have tests of their own
WITH_SETTINGS = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("start", "settings", "mendix", "containers", "servers")),
    *(DOCS / f"{name}.md" for name in ("proxies", "rotation", "hardware-keys")),
]


SCHEMA = Draft202012Validator(json.loads(schema_text()))


def _all(*languages: str) -> list[Snippet]:
    return [each for page in PAGES for each in snippets(page, *languages)]


@pytest.mark.parametrize("snippet", _all("python"), ids=str)
def test_python(snippet: Snippet) -> None:
    """It compiles, also where it is rows of a table to be appended to."""
    is_rows = snippet.text.startswith("*")
    compile(f"[{snippet.text}]" if is_rows else snippet.text, str(snippet), "exec")


@pytest.mark.parametrize("snippet", _all("toml"), ids=str)
def test_toml(snippet: Snippet) -> None:
    """It is TOML."""
    assert tomllib.loads(snippet.text)


@pytest.mark.parametrize(
    "snippet", [each for page in WITH_SETTINGS for each in snippets(page, "toml")], ids=str
)
def test_settings(snippet: Snippet, tmp_path: Path) -> None:
    """The reader of the settings has no fault to tell, where the files are there."""
    settings = _in_folder(tomllib.loads(snippet.text), tmp_path)
    reading = settings_from(settings, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert () == reading.faults
    assert reading.settings.identities


def test_settings_with_a_fault(tmp_path: Path) -> None:
    """The twin: a key that nobody reads, in the example of README.md."""
    text = snippets(ROOT / "README.md", "toml")[0].text.replace("hosts =", "host =")
    assert settings_from(_in_folder(tomllib.loads(text), tmp_path), environ={}).faults


@pytest.mark.parametrize(
    "snippet", [each for page in WITH_SETTINGS for each in snippets(page, "toml")], ids=str
)
def test_settings_by_the_schema(snippet: Snippet) -> None:
    """An editor that goes by the JSON Schema has nothing to complain of."""
    assert SCHEMA.is_valid(tomllib.loads(snippet.text))


def test_a_typing_error_by_the_schema() -> None:
    """The twin: an editor underlines it."""
    text = snippets(ROOT / "README.md", "toml")[0].text.replace("hosts =", "host =")
    assert not SCHEMA.is_valid(tomllib.loads(text))


def _in_folder(value: Any, folder: Path) -> Any:
    """The settings, with files of this folder in the place of those that they name."""
    if isinstance(value, dict):
        return {key: _in_folder(each, folder) for key, each in value.items()}
    if isinstance(value, list):
        return [_in_folder(each, folder) for each in value]
    if not isinstance(value, str) or not value.startswith(("/", "credential:")):
        return value
    file = folder / value.removeprefix("credential:").lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("content")
    return value if value.startswith("credential:") else str(file)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("snippet", _all("sh"), ids=str)
def test_shell(snippet: Snippet) -> None:
    """The shell reads it."""
    done = subprocess.run(["bash", "-n"], input=snippet.text, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)


def _commands() -> list[list[str]]:
    lines = "\n".join(each.text for each in _all("sh")).splitlines()
    called = [line for line in lines if re.search(r"\bmxcert [a-z]", line.partition("#")[0])]
    commands = [part for line in called for part in line.partition("#")[0].split("&&")]
    words = map(shlex.split, commands)
    return [each[1:] for each in words if each[0].rpartition("/")[2] == "mxcert"]


#: the begin of a command, a choice of words, a figure's name, or a word that stands for one of few
_NO_COMMAND = re.compile(r"--$|--help$|[|,]|\bCODE$")


def _commands_in_text() -> list[list[str]]:
    """Those within sentences; what is of two words there is no more than the command's name."""
    prose = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    called = sorted(set(re.findall(r"`mxcert ([a-z]+ [^`\n]+)`", prose)))
    return [shlex.split(each) for each in called if not _NO_COMMAND.search(each)]


@pytest.mark.parametrize("words", [*_commands(), *_commands_in_text()], ids=" ".join)
def test_command(words: list[str]) -> None:
    """The command's own parser takes it, so that no option is one of yesterday."""
    assert words[0] == _parser(_at_hand(words)).parse_all(words).subcommand


def test_a_command_that_lacks_its_url(capsys: pytest.CaptureFixture[str]) -> None:
    """The twin: a reader who types it is sent away."""
    words = ["explain", "--client", "psycopg"]
    with pytest.raises(SystemExit):
        _parser(_at_hand(words)).parse_all(words)
    assert "required: URL" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("page", WITH_SETTINGS, ids=lambda page: page.name)
def test_variables(page: Path) -> None:
    """What a page exports is read without a fault, as far as it has come."""
    exported: dict[str, str] = {}
    for snippet in snippets(page, "sh"):
        if "mxcert init" in snippet.text:
            continue  # it names a file that the command makes: test_story.py
        exported.update(_exported(snippet.text))
        assert () == read(exported).faults, str(snippet)


def _exported(text: str) -> Mapping[str, str]:
    statements = "\n".join(re.findall(r"^export (?:[^'\n]|'[^']*')*", text, re.MULTILINE))
    done = subprocess.run(
        ["bash", "-c", f"{statements}\nenv --null"], env={}, capture_output=True, text=True
    )
    pairs = (each.split("=", 1) for each in done.stdout.split("\0") if "=" in each)
    return {name: value for name, value in pairs if name not in ("PWD", "SHLVL", "_")}


def test_commands_are_found() -> None:
    """Those of README.md among them."""
    expected = {"check", "probe", "demo", "run", "explain", "init", "import", "schema", "autostart"}
    assert expected == {words[0] for words in _commands()}


def test_variables_are_found() -> None:
    """The exports of the Mendix recipe, of three lines and more."""
    (first, services, *_) = snippets(DOCS / "mendix.md", "sh")
    assert 3 == len(_exported(first.text))
    assert ["MXCERT_SERVICES"] == list(_exported(services.text))


def test_yaml() -> None:
    """Each is YAML, and the settings of the ConfigMap have no fault."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    loaded = [yaml.safe_load(each.text) for each in _all("yaml")]
    (settings,) = [each["data"] for each in loaded if each.get("kind") == "ConfigMap"]
    assert "[[identity]]" in settings["mxcert.toml"]
    assert all(isinstance(each, dict) for each in loaded)


def test_settings_of_the_config_map(tmp_path: Path) -> None:
    """What the pod of the recipe reads."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    text = next(each.text for each in _all("yaml") if "mxcert.toml: |" in each.text)
    settings = tomllib.loads(yaml.safe_load(text)["data"]["mxcert.toml"])
    reading = settings_from(_in_folder(settings, tmp_path), environ={})
    assert ((), ["billing"]) == (reading.faults, [one.name for one in reading.settings.identities])


@pytest.mark.parametrize("snippet", _all("ini"), ids=str)
def test_units(snippet: Snippet) -> None:
    """A unit has its section, and credentials by name and path."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(snippet.text)
    assert ["Service"] == parser.sections()


def test_where_autostart_goes() -> None:
    """In front of a `RUN` it would end every Python of the build with 78."""
    for snippet in _all("dockerfile"):
        steps = [line.partition(" ")[0] for line in snippet.text.splitlines()]
        autostart = next(i for i, line in enumerate(snippet.text.splitlines()) if "AUTOST" in line)
        assert "RUN" in steps[:autostart]
        assert "RUN" not in steps[autostart:]
