"""Fresh interpreters that time themselves, for what a process does only once.

They count the processor's time, theirs alone: what is done once is over too soon to even out what
other programs on the machine do meanwhile.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Mapping, Sequence

from .measure import Effort, Timed
from .workers import clean_environment

_FRAME = """
import sys, time
{setup}
start = time.process_time()
{timed}
elapsed = time.process_time() - start
{check}
sys.stdout.write(repr(elapsed))
"""


class InterpreterError(RuntimeError):
    """An interpreter failed; the text is the end of what it wrote to standard error."""


def program(timed: str, *, setup: str = "", check: str = "") -> str:
    """A program that writes how many seconds of processor its ``timed`` part took."""
    return _FRAME.format(setup=setup, timed=timed, check=check)


def interpreting(source: str, *, options: Sequence[str] = ()) -> Timed:
    """Runs the program in a fresh interpreter, and again for each loop.

    Raises :class:`InterpreterError` where it fails.
    """
    command, environment = [sys.executable, *options, "-c", source], _environment()

    def timed(loops: int) -> float:
        return sum(float(_run(command, environment)) for _ in range(loops))

    return timed


def interpret(source: str) -> str:
    """What a program writes to standard output, run by a fresh interpreter.

    Raises :class:`InterpreterError` where it fails.
    """
    return _run([sys.executable, "-c", source], _environment())


def _environment() -> dict[str, str]:
    environment = clean_environment()
    # Whoever imports twice finds compiled modules, unless that is forbidden.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InterpreterError(done.stderr[-2000:])
    return done.stdout


def in_one_worker(effort: Effort) -> Effort:
    """As many pairs as several workers would take, for questions that start processes anyway."""
    return dataclasses.replace(effort, pairs=effort.pairs * effort.workers, workers=1)
