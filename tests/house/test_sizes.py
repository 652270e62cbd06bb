"""The package's files, functions and face are short, as are the tests'; files say what they are."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.modules import lines, modules, nodes, offenders, sources, tree_of

_LONGEST_FILE = 350
_LONGEST_FUNCTION = 50
_LONGEST_FACE = 43
_TESTS = Path(__file__).parents[1]


def test_files_are_short_and_say_what_they_are() -> None:
    """Every file has a docstring and at most 350 lines."""
    assert [] == [name for name in modules() if not ast.get_docstring(tree_of(sources()[name]))]
    assert [] == [name for name in modules() if len(lines(name)) > _LONGEST_FILE]


def test_files_of_tests_are_short() -> None:
    """The same lines are enough for a file of tests, and for what tests share."""
    found = {
        path.relative_to(_TESTS).as_posix()
        for path in _TESTS.rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > _LONGEST_FILE
    }
    assert set() == found


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def _too_long(module: str) -> list[str]:
    functions = (
        each for each in nodes(module) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    return [each.name for each in functions if _length(each) > _LONGEST_FUNCTION]


def test_functions_are_short() -> None:
    """No function is longer than 50 lines, its docstring included."""
    assert {} == offenders(_too_long)


def test_the_face_is_short() -> None:
    """``__init__.py`` stays short; each public name is a line of it."""
    assert len(lines("__init__")) <= _LONGEST_FACE
