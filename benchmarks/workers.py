"""Runs questions in fresh processes, one at a time, and joins what they answer.

As a program it is such a process: question, effort and the file for the answer are its arguments.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pyperf import BenchmarkSuite  # type: ignore[import-untyped]

from tests.support.environment import cleaned

from .archive import answers_of, suite_of
from .figures import Figure, merge
from .measure import FULL, Effort
from .questions import load_question

ROOT = Path(__file__).resolve().parent.parent

#: far more than any question takes; a process that hangs must not hang the run
_TIMEOUT = 900.0


class QuestionError(RuntimeError):
    """The process of a question failed, and has said why."""


def clean_environment() -> dict[str, str]:
    """This process's environment without settings, and with this checkout to import from."""
    environment = cleaned(os.environ)
    environment["PYTHONPATH"] = str(ROOT)
    # Each process has its own hash seed.
    environment.pop("PYTHONHASHSEED", None)
    return environment


def ask(name: str, effort: Effort) -> list[Figure]:
    """The figures of one question, over all its processes.

    Raises :class:`QuestionError` where a process fails.
    """
    count = min(effort.workers, load_question(name).workers)
    return merge(figure for _ in range(count) for figure in _ask_once(name, effort))


def _ask_once(name: str, effort: Effort) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        arguments = [name, json.dumps(dataclasses.asdict(effort)), str(answer)]
        command = [sys.executable, "-m", __name__, *arguments]
        done = subprocess.run(
            command, env=clean_environment(), cwd=folder, check=False, timeout=_TIMEOUT
        )
        if done.returncode:
            raise QuestionError(f"the question {name!r} failed; its process says why above")
        return answers_of(BenchmarkSuite.load(str(answer)))[name]


def _answer(name: str, effort: str, path: str) -> None:
    question = load_question(name)
    figures = question.measure(Effort(**json.loads(effort)))
    suite_of({name: figures}).dump(path)


def by_hand(name: str) -> None:
    """Ask one question and print what it answers."""
    from .report import table

    print(table({name: ask(name, FULL)}))


if __name__ == "__main__":
    _answer(*sys.argv[1:])
