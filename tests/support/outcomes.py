"""How the tests of a suite of somebody else's ended in one run, as values; the lines of its child.

A child writes one line of JSON per event, at once: ``{"test": id, "outcome": name, "text": text}``,
the outcome ``started`` where a test begins.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .plugin_modes import Mode

#: The id under which a run that ended before its time is reported.
RUN = "the run itself"


@dataclass(frozen=True)
class Outcome:
    """How a test ended: ``ok``, ``fail``, ``error``, ``skip``, ...; ``text`` is its traceback."""

    name: str
    text: str = ""


@dataclass(frozen=True)
class Run:
    """One suite in one mode: the outcome of every test by id, and the seconds it took.

    ``connections`` is how many the plugin says it has decided on, where the child asked it.
    """

    suite: str
    mode: Mode
    outcomes: dict[str, Outcome]
    seconds: float
    connections: int = 0

    def count(self, *names: str) -> int:
        return sum(outcome.name in names for outcome in self.outcomes.values())


def parse(lines: Iterable[str]) -> dict[str, Outcome]:
    """The outcome of every test from the lines of a child.

    A test can report more than once (subtests, its tear-down): the first report that is not
    ``ok`` stands. One that started and never reported has crashed.
    """
    outcomes: dict[str, Outcome] = {}
    for line in map(json.loads, lines):
        before = outcomes.get(line["test"])
        if before is None or before.name in ("started", "ok"):
            outcomes[line["test"]] = Outcome(line["outcome"], line["text"])
    return outcomes


def finish(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> Outcome | None:
    """The end of a child that was not an orderly one; what it prints is else its own affair."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        return Outcome(f"not done after {seconds:.0f} s", str(expired.output)[-4000:])
    if done.returncode == 0:
        return None
    return Outcome(f"exit status {done.returncode}", done.stdout[-4000:])
