"""SECURITY.md names the test of each guard, and each test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = re.compile(r"tests/[\w/]+\.py(?:::\w+)*")


def _rows() -> list[list[str]]:
    """The cells of each row in the table of threats."""
    table = (
        (ROOT / "SECURITY.md").read_text(encoding="utf-8").rpartition("| --- | --- | --- |\n")[2]
    )
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in table.splitlines()
        if line.startswith("|")
    ]


def test_every_threat_has_a_guard_and_a_test() -> None:
    """Three cells in each row, the last of which names tests and nothing else."""
    assert [] == [row for row in _rows() if len(row) != 3 or not all(row)]
    assert [] == [row for row in _rows() if _REFERENCE.sub("", row[2]).strip(", ")]


def _references() -> list[str]:
    return sorted({each for row in _rows() for each in _REFERENCE.findall(row[2])})


@pytest.mark.parametrize("reference", _references())
def test_what_is_named_is_there(reference: str) -> None:
    """The file, and in it the class or the function."""
    path, *names = reference.split("::")
    standing: ast.AST = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for name in names:
        found = [
            each for each in ast.iter_child_nodes(standing) if getattr(each, "name", "") == name
        ]
        assert 1 == len(found)
        standing = found[0]
