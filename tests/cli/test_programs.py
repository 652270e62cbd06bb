"""What a command starts: told from its name, its first line, or what stands behind a wrapper."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from mxcert_runtime.cli.run.programs import Kind, find_program


def _python_of(command: list[str], environ: dict[str, str]) -> list[str] | None:
    """The command that asks the Python; ``None`` where it is none."""
    program = find_program(command, environ)
    return program.question if program.kind is Kind.PYTHON else None


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

    assert wanted == _python_of(command.split(), {"PATH": ""})


#: the commands of an environment that uv made to be moved
_MOVABLE = """\
#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/{} "$0" "$@"
' '''"""


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
        (_MOVABLE.format("'python3'"), ["{folder}/python3"]),
        (_MOVABLE.format("python"), ["{folder}/python"]),
        ("#!/usr/bin/env -S nice -n 5 python3 -u", ["python3", "-u"]),
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

    if expected is not None:
        expected = [word.format(folder=tmp_path) for word in expected]
    assert expected == _python_of(command, {"PATH": str(tmp_path)})


_WRAPPED = [
    "nice python3 -E app.py",
    "nice -n 5 python3 -E app.py",
    "nice -5 python3 -E app.py",
    "nice --adjustment 5 python3 -E app.py",
    "nice --adj=5 python3 -E app.py",
    "/usr/bin/nohup -- python3 -E app.py",
    "timeout -k5 --signal TERM 10 python3 -E app.py",
    "timeout --foreground 10 nice -n1 python3 -E app.py",
    "setsid -w python3 -E app.py",
    "stdbuf -oL -e 0 python3 -E app.py",
    "ionice -c 2 -n7 python3 -E app.py",
    "time -p python3 -E app.py",
    "tini -g -- python3 -E app.py",
    "dumb-init --rewrite 15:3 python3 -E app.py",
    "env python3 -E app.py",
    "env A=1 B=2 python3 -E app.py",
    "env -u HOME --chdir /tmp A=1 nice python3 -E app.py",
    "env -S python3 -E app.py",
]


@pytest.mark.parametrize("command", _WRAPPED)
def test_behind_a_wrapper(command: str) -> None:
    """The Python that a wrapper becomes is judged in the wrapper's place."""
    assert ["python3", "-E"] == _python_of(command.split(), {"PATH": ""})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"PATH": "", "A": "1"}),
        (["-i"], {}),
        (["-"], {}),
        (["-u", "A"], {"PATH": ""}),
        (["--unset=A", "B=2=3"], {"PATH": "", "B": "2=3"}),
        (["-S", "-i C=3"], {"C": "3"}),
        (["A=2"], {"PATH": "", "A": "2"}),
    ],
)
def test_the_environment_behind_env(options: list[str], expected: dict[str, str]) -> None:
    """What ``env`` takes away or puts in is told, since the program will be without it."""
    program = find_program(["env", *options, "python3"], {"PATH": "", "A": "1"})

    assert (Kind.PYTHON, expected) == (program.kind, program.environ)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("#!{folder}/sh", Kind.LAUNCHER),
        ("#!/usr/bin/env bash", Kind.LAUNCHER),
        ("#!{folder}/perl", Kind.FOREIGN),
        ("#!/usr/bin/env -S uv run --script", Kind.FOREIGN),
        ("#!/nonexistent/interpreter", Kind.ABSENT),
        ("#!{folder}/tool", Kind.FOREIGN),
        ("\x7fELF", Kind.FOREIGN),
        ("print(1)", Kind.FOREIGN),
    ],
)
def test_what_is_no_python(tmp_path: Path, text: str, kind: Kind) -> None:
    """A shell starts what is not known; anything else is what would run without identities."""
    for name in ("sh", "bash", "perl", "uv"):
        (tmp_path / name).write_text("\x7fELF", encoding="utf-8")
        (tmp_path / name).chmod(0o700)
    script = tmp_path / "tool"
    script.write_text(text.format(folder=tmp_path) + "\n", encoding="utf-8")
    script.chmod(0o700)

    assert kind is find_program(["tool"], {"PATH": str(tmp_path)}).kind


@pytest.mark.parametrize(
    "command",
    ["nice", "env", "env A=1", "timeout 5", "nice --no-such-option tool", "nice tool", "env -S '"],
)
def test_wrappers_that_are_not_understood(command: str) -> None:
    """Where nothing tells what will run, it is not taken for a Python, nor for nothing."""
    assert Kind.FOREIGN is find_program(command.split(), {"PATH": ""}).kind


def test_another_name_for_a_python(tmp_path: Path) -> None:
    """A link to an interpreter is one."""
    (tmp_path / "python3").touch(0o700)
    (tmp_path / "app").symlink_to("python3")

    assert ["app", "-E"] == _python_of(["app", "-E", "x.py"], {"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("content", "variable"),
    [("PEX-INFO", "PEX_INTERPRETER"), ("_bootstrap/__init__.py", "SHIV_INTERPRETER")],
)
@pytest.mark.parametrize("first_line", ["#!/usr/bin/env python3", "#!/bin/sh"])
def test_bundles(tmp_path: Path, content: str, variable: str, first_line: str) -> None:
    """A bundle is asked itself, in the environment that it brings along."""
    bundle = tmp_path / "bundle"
    with open(bundle, "wb") as file:
        file.write(first_line.encode("ascii") + b"\n")
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(content, "")
    bundle.chmod(0o700)

    itself = find_program([str(bundle), "-S"], {"PATH": ""})
    by_python = find_program(["python3", "-E", str(bundle), "-S"], {"PATH": ""})

    assert (Kind.PYTHON, [str(bundle)], "1") == (*itself[:2], itself.environ.get(variable))
    expected = (Kind.PYTHON, ["python3", "-E", str(bundle)], "1")
    assert expected == (*by_python[:2], by_python.environ.get(variable))


def test_a_bundle_that_is_a_folder(tmp_path: Path) -> None:
    """pex can leave its files unpacked."""
    (tmp_path / "PEX-INFO").touch()
    (tmp_path / "__main__.py").touch()
    main = str(tmp_path / "__main__.py")

    assert ["python3", main] == _python_of(["python3", main], {"PATH": ""})
    assert ["python3", str(tmp_path)] == _python_of(["python3", str(tmp_path)], {"PATH": ""})


def test_nothing_is_there(tmp_path: Path) -> None:
    """What cannot be found is no Python; starting it says so."""
    assert Kind.ABSENT is find_program(["tool"], {"PATH": str(tmp_path)}).kind
