"""What ``mxcert run`` is to start: a Python, which can be asked, or something that cannot.

Only what is seen from outside: a command that is a Python, a script whose first line names one, a
bundle that brings its own environment, and whatever of these stands behind a wrapper.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import NamedTuple

from .bundles import interpreter_variable
from .wrappers import UnknownUseError, look_through

_PYTHON = re.compile(r"(python|pypy)[\d.]*[dtw]*(-dbg|-intel64)?(\.exe)?", re.IGNORECASE)
_SHELLS = ("ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "sh", "yash", "zsh")
_SERVERS_WITH_PYTHONS = ("apache2", "httpd", "unitd", "uwsgi", "uwsgi-core")
#: what starts others, which are not known before
_LAUNCHERS = frozenset((*_SHELLS, *_SERVERS_WITH_PYTHONS))
#: how pip and uv write the first line where the path is too long for the system, or has a blank
_INDIRECT = "'''exec' "
#: how uv writes it for an environment that can be moved
_BESIDE = re.compile(r""""\$\(dirname -- "\$\(realpath -- "\$0"\)"\)"/(?:'([^']+)'|(\S+))""")
_SHEBANG_LENGTH = 4096
#: A script may name another script for its interpreter, and that one again.
_DEEPEST = 8


class Kind(Enum):
    """What is known of a program before it starts."""

    #: it can be asked
    PYTHON = "python"
    #: it starts others, of which nothing is known
    LAUNCHER = "launcher"
    #: it is no Python, and nothing says that it starts any
    FOREIGN = "foreign"
    #: it is not there, or cannot be executed
    ABSENT = "absent"


class Program(NamedTuple):
    """A program, the command that asks it, and the environment that it would be started in."""

    kind: Kind
    question: list[str]
    environ: dict[str, str]


def find_program(
    command: Sequence[str], environ: Mapping[str, str], depth: int = _DEEPEST
) -> Program:
    """What a command starts; ``environ`` is what the command will be started with."""
    if not depth:
        return Program(Kind.FOREIGN, list(command), dict(environ))
    try:
        wrapped = look_through(command, environ)
    except UnknownUseError:
        return Program(Kind.FOREIGN, list(command), dict(environ))
    if wrapped is None:
        return _judge(list(command), dict(environ), depth)
    found = find_program(wrapped.command, wrapped.environ, depth - 1)
    # A wrapper that was not understood would else pass for one of a program that is not there.
    return found._replace(kind=Kind.FOREIGN) if found.kind is Kind.ABSENT else found


def _judge(command: list[str], environ: dict[str, str], depth: int) -> Program:
    file = shutil.which(command[0], path=environ.get("PATH"))
    if _is_python(command[0]) or (file is not None and _is_python(os.path.realpath(file))):
        return _ask_python(command, environ)
    if file is None:
        return Program(Kind.ABSENT, command, environ)
    variable = interpreter_variable(file)
    if variable is not None:
        return Program(Kind.PYTHON, [file], {**environ, variable: "1"})
    words = _shebang(file)
    if words:
        return find_program([*words, file, *command[1:]], environ, depth - 1)
    # The launchers of Windows are programs of their own in front of each script.
    is_launcher = PurePath(command[0]).name in _LAUNCHERS or os.name == "nt"
    return Program(Kind.LAUNCHER if is_launcher else Kind.FOREIGN, command, environ)


def _ask_python(command: list[str], environ: dict[str, str]) -> Program:
    options, script = _split_options(command[1:])
    question = [command[0], *options]
    variable = None if script is None else interpreter_variable(script)
    if script is not None and variable is not None:
        return Program(Kind.PYTHON, [*question, script], {**environ, variable: "1"})
    return Program(Kind.PYTHON, question, environ)


def _is_python(file: str) -> bool:
    return _PYTHON.fullmatch(PurePath(file).name) is not None


def _shebang(file: str) -> list[str]:
    """The words of a script's first line; none where it is no script."""
    try:
        with open(file, "rb") as script:
            first, second = script.readline(_SHEBANG_LENGTH), script.readline(_SHEBANG_LENGTH)
    except OSError:
        return []
    if not first.startswith(b"#!"):
        return []
    indirect = os.fsdecode(second)
    if not indirect.startswith(_INDIRECT):
        return _words(os.fsdecode(first[2:]))
    beside = _BESIDE.match(indirect, len(_INDIRECT))
    if beside:
        return [os.path.join(os.path.dirname(os.path.realpath(file)), beside[1] or beside[2])]
    return _words(indirect[len(_INDIRECT) :].partition(' "$0"')[0])


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _split_options(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """The interpreter's own options, and the script that it is to run, if it is one."""
    options: list[str] = []
    remaining = iter(arguments)
    for word in remaining:
        if word == "--":
            return options, next(remaining, None)
        if not word.startswith("-") or word == "-":
            return options, None if word == "-" else word
        if word.startswith("--"):
            values = 1 if word == "--check-hash-based-pycs" else 0
            options += [word, *islice(remaining, values)]
            continue
        letters = re.match(r"[^cmWX]*", word[1:]).group()  # type: ignore[union-attr]
        rest = word[1 + len(letters) :]
        if rest[:1] in ("c", "m"):
            return [*options, "-" + letters] if letters else options, None
        # W and X have a value: what follows them, or else the next word.
        options += [word, *islice(remaining, 1 if len(rest) == 1 else 0)]
    return options, None
