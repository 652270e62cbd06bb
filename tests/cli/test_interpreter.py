"""Which Python a command starts: told from its name, or from the first line of the script."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxcert_runtime.cli.interpreter import find_interpreter


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python app.py -S", "python"),
        ("/opt/bin/python3.11 -m package -S", "/opt/bin/python3.11"),
        ("python3 -c pass -S", "python3"),
        ("python3 -Im package -S", "python3 -I"),
        ("python3.13t -bEmpackage", "python3.13t -bE"),
        ("python -W error -X dev -u app.py -S", "python -W error -X dev -u"),
        ("python -Werror -Xdev app.py", "python -Werror -Xdev"),
        ("python -IW error app.py -S", "python -IW error"),
        (
            "python --check-hash-based-pycs never -S app.py",
            "python --check-hash-based-pycs never -S",
        ),
        ("python - -S", "python"),
        ("python -- -S", "python"),
        ("python -S", "python -S"),
        ("PYTHON.EXE -V", "PYTHON.EXE -V"),
        ("pythonista app.py", None),
        ("ipython", None),
        ("bash python", None),
    ],
)
def test_by_its_name(command: str, expected: str | None) -> None:
    """The options of the interpreter come along, but nothing of what is for the program."""
    wanted = None if expected is None else expected.split()

    assert wanted == find_interpreter(command.split(), {"PATH": ""})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#!/usr/bin/python3", ["/usr/bin/python3"]),
        ("#! /usr/bin/python3 -sP", ["/usr/bin/python3", "-sP"]),
        ("#!/usr/bin/env python3", ["python3"]),
        ("#!/usr/bin/env -S python3 -E", ["python3", "-E"]),
        ("#!/bin/sh\n'''exec' /opt/long/python3.9 \"$0\" \"$@\"\n' '''", ["/opt/long/python3.9"]),
        ("#!/bin/sh\n'''exec' \"/o t/python3\" -E \"$0\" \"$@\"\n' '''", ["/o t/python3", "-E"]),
        ("#!/bin/sh\nexec python3", None),
        ("#!/usr/bin/env", None),
        ("#!", None),
        ("#!/usr/bin/'python3", None),
        ("\x7fELF", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("by_path", [True, False])
def test_by_its_first_line(
    tmp_path: Path, text: str, expected: list[str] | None, by_path: bool
) -> None:
    """As the system and installers write and read it, found as a path or on PATH."""
    script = tmp_path / "tool"
    script.write_text(text + "\n", encoding="utf-8")
    script.chmod(0o700)
    command = [script.name if by_path else str(script), "-S"]

    assert expected == find_interpreter(command, {"PATH": str(tmp_path)})


def test_nothing_is_there(tmp_path: Path) -> None:
    """What cannot be found is no Python; starting it says so."""
    assert None is find_interpreter(["tool"], {"PATH": str(tmp_path)})
