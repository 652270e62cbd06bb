"""What an installation puts beside the package: the one file that starts it, which pip knows of."""

from __future__ import annotations

import ast
import re
import zipfile

import pytest

from mxcert_runtime.settings import names
from tests.support.installation import AUTOSTART_FILE, AUTOSTART_SOURCE, Installation, Installations

_LINE = re.compile(r"import os; \"MXCERT_AUTOSTART\" in os\.environ and exec\(.*\)")


def _record(installation: Installation) -> set[str]:
    (record,) = installation.packages.glob("mxcert_runtime-*.dist-info/RECORD")
    return {line.partition(",")[0] for line in record.read_text(encoding="utf-8").splitlines()}


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_installed_beside_the_package(installations: Installations, kind: str) -> None:
    """The file is where ``site`` looks for it, and in RECORD, so that pip takes it away again."""
    installation = getattr(installations, kind)
    installed = installation.packages / AUTOSTART_FILE

    assert AUTOSTART_SOURCE.read_bytes() == installed.read_bytes()
    assert AUTOSTART_FILE in _record(installation)


def test_the_file_holds_one_line_of_code() -> None:
    """``site`` runs lines that start with ``import``, and takes all but comments for paths."""
    lines = AUTOSTART_SOURCE.read_text(encoding="ascii").splitlines()
    code = [line for line in lines if not line.startswith("#")]

    assert 1 == len(code)
    assert _LINE.fullmatch(code[0])


def test_the_file_takes_the_words_of_the_settings() -> None:
    """It imports nothing before it is asked to, and so has a copy of the words for yes and no."""
    code = AUTOSTART_SOURCE.read_text(encoding="ascii")

    assert [names.AUTOSTART_YES, names.AUTOSTART_NO] == [
        ast.literal_eval(each) for each in re.findall(r"asked (?:not )?in (\([^)]*\))", code)
    ]


def test_the_wheel_holds_nothing_else(installations: Installations) -> None:
    """At the top level of the wheel are the package, the file and pip's records."""
    (wheel,) = installations.folder.glob("wheel/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" not in name}

    assert {"mxcert_runtime", AUTOSTART_FILE} == top


def test_an_editable_installation_is_a_plain_path(installations: Installations) -> None:
    """No import hook stands in for the sources."""
    (path,) = installations.editable.packages.glob("__editable__*")

    assert str(installations.folder / "sources") == path.read_text(encoding="utf-8").strip()
