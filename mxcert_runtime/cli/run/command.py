"""``mxcert run``: starts a program with the plugin active in it, and in every Python it starts.

The program takes the place of this process, so that signals, exit status and terminal are its own.
What MXCERT_AUTOSTART does then is told in :mod:`mxcert_runtime.start.asked_for`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

from ...base import process_environ
from ...base.printable import printable
from ...errors import Fault, MxcertError, SettingsError
from ...settings import is_disabled, names
from ...start.asked_for import EXIT_STATUS
from .interpreter import has_autostart
from .programs import Kind, Program, find_program

if TYPE_CHECKING:
    from ...settings import Reading

_SCHEMA_NAME = "mxcert-run/1"
#: what shells say of a command that is not there, or cannot be executed
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_WRONG_USE = 2

#: Python ignores these, and what is ignored stays so in the next program.
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFZ", "SIGXFSZ")


class _RefusalError(MxcertError):
    """The program is not started."""

    def __init__(self, text: str, faults: Iterable[Fault]) -> None:
        self.text = text
        self.faults = tuple(faults)
        super().__init__(text)


def run(arguments: argparse.Namespace) -> int:
    """Become the program; gives an exit status only where that is not possible, or on Windows."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        print("mxcert run: name the program: mxcert run -- python app.py", file=sys.stderr)
        return _WRONG_USE
    try:
        return _start(command, _environment(command, arguments))
    except _RefusalError as refusal:
        _tell(refusal, arguments)
        return EXIT_STATUS


def _tell(refusal: _RefusalError, arguments: argparse.Namespace) -> None:
    text = f"mxcert run: {refusal.text}"
    if arguments.json:
        errors = [asdict(each) for each in refusal.faults]
        text = json.dumps({"schema": _SCHEMA_NAME, "ok": False, "errors": errors})
    # stdout is the program's, which was not started.
    print(text, file=sys.stderr)


def _environment(command: Sequence[str], arguments: argparse.Namespace) -> dict[str, str]:
    """What the program gets for its environment, once settings and Python are found fit."""
    environ = dict(process_environ())
    if is_disabled(environ):
        return environ
    reading = _judged(environ)
    if reading is None:
        if not arguments.allow_no_settings:
            raise _refusal_without_settings()
        environ.pop(names.AUTOSTART, None)
        return environ
    # Not MXCERT_INHERIT, which nobody has said: it would overrule what a settings file says later,
    # or what the file of another program that this one starts says.
    environ.update({names.AUTOSTART: "1", **_settled_paths()})
    _check_program(find_program(command, environ), arguments.allow_any_program)
    return environ


def _settled_paths() -> dict[str, str]:
    from ...start.given import Given  # late: it reads settings

    return Given(None).settled_paths()


def _judged(environ: Mapping[str, str]) -> Reading | None:
    """The settings, found fit; ``None`` where there are none."""
    # What these import is heavy, and a program that is not judged has no use for it.
    from ...decisions import build_generation
    from ...settings import read_settings

    reading = read_settings(environ)
    if not reading.settings and not reading.faults:
        return None
    try:
        build_generation(reading)
    except SettingsError as error:
        raise _RefusalError(str(error), error.faults) from None
    return reading


def _refusal_without_settings() -> _RefusalError:
    problem = "there are none, so the program would run without identities"
    remedy = "Set ClientCertificates or MXCERT_CONFIG, or start it with --allow-no-settings"
    return _refusal("settings", problem, remedy)


def _refusal(origin: str, problem: str, remedy: str) -> _RefusalError:
    fault = Fault(origin, problem, remedy)
    return _RefusalError(str(fault), [fault])


def _check_program(program: Program, allow_any: bool) -> None:
    if program.kind is Kind.PYTHON:
        _check_interpreter(program)
    elif program.kind is Kind.FOREIGN and not allow_any:
        raise _refusal_of_foreign(program)
    elif program.kind is Kind.LAUNCHER and not allow_any:
        print(
            f"mxcert run: what `{program.question[0]}` starts is not known beforehand: a Python "
            "without mxcert-runtime runs without identities (--allow-any-program: no such warning)",
            file=sys.stderr,
        )


def _refusal_of_foreign(program: Program) -> _RefusalError:
    shown = " ".join(program.question)
    problem = "is no Python that is known here, so it would run without identities"
    remedy = (
        "Start a Python, or a script whose first line names one; behind a launcher, put `mxcert "
        "run --` in front of the Python that it starts; a program that only starts Pythons which "
        "have mxcert-runtime installed can be started with --allow-any-program"
    )
    if program.question[0].endswith(".py"):
        remedy = f"Write: python {shown}"
    return _refusal(shown, problem, remedy)


def _asks_for_autostart(environ: Mapping[str, str]) -> bool:
    """Whether an interpreter starts the plugin by itself."""
    return environ.get(names.AUTOSTART, "").strip().lower() in names.AUTOSTART_YES


def _check_interpreter(python: Program) -> None:
    shown = " ".join(python.question)
    if is_disabled(python.environ):
        return
    if not _asks_for_autostart(python.environ):
        problem = f"would be started without {names.AUTOSTART}=1, so without identities"
        raise _refusal(shown, problem, f"Let the command in front of it keep {names.AUTOSTART}")
    try:
        if has_autostart(python):
            return
    except (FileNotFoundError, PermissionError):
        return  # so the command cannot be started either, which says it better
    except subprocess.SubprocessError as error:
        problem = f"does not tell whether mxcert_runtime is installed there: {error}"
        raise _refusal(shown, problem, "See whether this Python starts at all") from None
    problem = "does not load mxcert_runtime, so the program would run without identities"
    remedy = (
        "Install mxcert-runtime with pip, from its checkout or wheel, into the environment of this "
        "Python (PYTHONPATH is not "
        "enough) or, where it is a bundle such as a pex file, make it part of that, and start it "
        f"without -S; the Python of this command is {sys.executable}. Where it is installed, and "
        "its .pth file was removed, `mxcert autostart --install` puts that back"
    )
    raise _refusal(shown, problem, remedy)


def _start(command: Sequence[str], environ: Mapping[str, str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name == "nt":
            return _run_child(command, environ)
        _become(command, environ)
    except OSError as error:
        text = f"mxcert run: {command[0]} {_describe(error, command[0])}"
        print(printable(text), file=sys.stderr)
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE


def _become(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    for name in _IGNORED_BY_PYTHON:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execvpe(command[0], list(command), environ)  # noqa: S606 - what the user asked to start


def _run_child(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Windows has no exec that keeps the process: wait for a child, and end as it ends."""
    with subprocess.Popen(command, env=environ) as child:  # noqa: S603 - the same
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # The child has it as well, and decides what it means.
                continue


def _describe(error: OSError, program: str) -> str:
    if program.endswith(".py") and os.path.isfile(program):
        return f"is no program by itself; write: mxcert run -- python {program}"
    if isinstance(error, FileNotFoundError):
        return "is not there, or the Python that its first line names is not"
    return f"cannot be executed: {error.strerror}"
