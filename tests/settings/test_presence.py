"""The cheap question whether there are settings at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mxcert_runtime.base.environ import process_environ
from mxcert_runtime.settings import names, scalars
from mxcert_runtime.settings.presence import is_disabled, mentions_settings
from tests.settings.readings import NO_FILE

MENTIONS = [
    *names.FAMILY,
    *("MXRUNTIME_" + name for name in names.FAMILY),
    *scalars.WITH_FILE,
    *(name + "_FILE" for name in scalars.WITH_FILE),
    *names.INLINE,
    "MXCERT_CONFIG",
    "MXCERT_CLIENT_CERTIFICAT",
]


@pytest.mark.parametrize("name", MENTIONS)
def test_every_name_of_a_setting_is_a_mention(name: str) -> None:
    """Every name counts, unless its variable is empty or all is disabled."""
    assert mentions_settings({name: "x"}, NO_FILE)
    assert not mentions_settings({name: ""}, NO_FILE)
    assert not mentions_settings({name: "x", "MXCERT_DISABLE": "1"}, NO_FILE)


@pytest.mark.parametrize(
    "name", ["PATH", "MXRUNTIME_Other", "MXCERT_LOG", "MXCERT_AUTOSTART", "MXCERT_DISABLE"]
)
def test_other_names_are_none(name: str) -> None:
    """Variables for others, and for other parts of the product, are no settings."""
    assert not mentions_settings({name: "x"}, NO_FILE)


def test_custom_runtime_settings_count_if_ours() -> None:
    """That variable counts only where it mentions a setting of ours."""
    assert mentions_settings({names.CUSTOM: '{"CACertificates": "a"}'}, NO_FILE)
    assert not mentions_settings({names.CUSTOM: '{"Other": "a"}'}, NO_FILE)


def test_the_default_file_counts(tmp_path: Path) -> None:
    """The default file counts as soon as it is there, be it a link to nothing."""
    path = tmp_path / "mxcert.toml"
    assert not mentions_settings({}, str(path))
    path.symlink_to(tmp_path / "nothing")
    assert mentions_settings({}, str(path))
    assert not mentions_settings({"MXCERT_DISABLE": "1"}, str(path))


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("0", False), ("", False)])
def test_only_one_disables(value: str, expected: bool) -> None:
    """``MXCERT_DISABLE=1`` and nothing else."""
    assert expected == is_disabled({"MXCERT_DISABLE": value})
    assert not is_disabled({})


def test_the_environment_of_the_process() -> None:
    """The process's environment is handed out as it is."""
    assert os.environ is process_environ()


def test_the_question_imports_nothing() -> None:
    """Asking loads three modules of ours and their rooms' faces, and not one other."""
    root = os.path.dirname(os.path.dirname(names.__file__))
    program = (
        "import __future__, os, sys, types\n"
        # The package's own __init__ is another matter.
        "package = sys.modules['mxcert_runtime'] = types.ModuleType('mxcert_runtime')\n"
        f"package.__path__ = [{root!r}]\n"
        "before = set(sys.modules)\n"
        "from mxcert_runtime.settings.presence import mentions_settings\n"
        "mentions_settings(os.environ, '/nonexistent')\n"
        "print(sorted(set(sys.modules) - before))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    expected = [
        "mxcert_runtime.base",
        "mxcert_runtime.settings",
        "mxcert_runtime.settings.names",
        "mxcert_runtime.settings.presence",
        "mxcert_runtime.settings.scalars",
    ]
    assert f"{expected}\n" == result.stdout
