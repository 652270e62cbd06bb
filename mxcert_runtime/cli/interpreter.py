"""Which Python a command starts, and whether the plugin starts by itself in that one.

Only what is seen from outside: a command that is a Python, or a script whose first line names one.
Shells and the like are no Python; what they start is not known before they start it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import PurePath

from ..settings import names

_PYTHON = re.compile(r"python[\d.]*[dtw]*(\.exe)?", re.IGNORECASE)
#: how pip and uv write the first line where the path is too long for the system, or has a blank
_INDIRECT = "'''exec' "
_SHEBANG_LENGTH = 4096

_ABSENT = 3
_QUESTION = f"""\
import os, sys
os._exit(0 if "mxcert_runtime._autostart" in sys.modules else {_ABSENT})
"""
#: seconds; the answer takes some 20 ms
_PATIENCE = 60.0


def find_interpreter(command: Sequence[str], environ: Mapping[str, str]) -> list[str] | None:
    """The Python that this command starts, with its options; ``None`` where it is no Python.

    ``environ`` is what the command will be started with.
    """
    folders = environ.get("PATH")
    if _is_python(command[0]):
        return [command[0], *_options(command[1:])]
    words = _shebang(shutil.which(command[0], path=folders))
    if words and PurePath(words[0]).name == "env":
        words = [word for word in words[1:] if word != "-S"]
    if words and _is_python(words[0]):
        return [words[0], *_options(words[1:])]
    return None


def has_autostart(interpreter: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether the plugin starts by itself in this Python, started with these options.

    The Python itself is asked, with everything disabled: another environment, ``-S`` or a package
    that is on PYTHONPATH alone are told by what they do. Raises ``OSError`` where it cannot be
    started, and ``subprocess.SubprocessError`` where it has no answer.
    """
    question = {**environ, names.AUTOSTART: "1", names.DISABLE: "1"}
    done = subprocess.run(  # noqa: S603 - what the user asked to start
        [*interpreter, "-c", _QUESTION],
        executable=shutil.which(interpreter[0], path=environ.get("PATH")),
        env=question,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode not in (0, _ABSENT):
        raise subprocess.CalledProcessError(done.returncode, interpreter[0])
    return done.returncode == 0


def _is_python(file: str) -> bool:
    return _PYTHON.fullmatch(PurePath(file).name) is not None


def _shebang(file: str | None) -> list[str]:
    """The words of a script's first line; none where it is no script."""
    try:
        with open(file or os.devnull, "rb") as script:
            first, second = script.readline(_SHEBANG_LENGTH), script.readline(_SHEBANG_LENGTH)
    except OSError:
        return []
    if not first.startswith(b"#!"):
        return []
    indirect = os.fsdecode(second)
    if indirect.startswith(_INDIRECT):
        return _words(indirect[len(_INDIRECT) :].partition(' "$0"')[0])
    return _words(os.fsdecode(first[2:]))


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _options(arguments: Sequence[str]) -> list[str]:
    """The interpreter's own options, up to what it is to run."""
    options: list[str] = []
    remaining = iter(arguments)
    for word in remaining:
        if not word.startswith("-") or word in ("-", "--"):
            break
        if word.startswith("--"):
            values = 1 if word == "--check-hash-based-pycs" else 0
            options += [word, *islice(remaining, values)]
            continue
        letters = re.match(r"[^cmWX]*", word[1:]).group()  # type: ignore[union-attr]
        rest = word[1 + len(letters) :]
        if rest[:1] in ("c", "m"):
            return [*options, "-" + letters] if letters else options
        # W and X have a value: what follows them, or else the next word.
        options += [word, *islice(remaining, 1 if len(rest) == 1 else 0)]
    return options
