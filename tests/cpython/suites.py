"""CPython's suites as subprocesses: which there are, and the results of one run of one of them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.environment import cleaned

from . import child
from .modes import Mode

#: By duration, the longest first, so that runs side by side end together.
SUITES = (
    "test_ssl",
    "test_imaplib",
    "test_asyncio.test_ssl",
    "test_ftplib",
    "test_poplib",
    "test_asyncio.test_events",
    "test_asyncio.test_sslproto",
    "test_urllib2_localnet",
    "test_smtplib",
    "test_httplib",
    "test_asyncio.test_streams",
)

#: The id under which a run that ended before its time is reported.
RUN = "the run itself"

_ROOT = str(Path(__file__).parents[2])


@dataclass(frozen=True)
class Outcome:
    """How a test ended: ``ok``, ``fail``, ``error``, ``skip``, ...; ``text`` is its traceback."""

    name: str
    text: str = ""


@dataclass(frozen=True)
class Run:
    """One suite in one mode: the outcome of every test by id, and the seconds it took."""

    suite: str
    mode: Mode
    outcomes: dict[str, Outcome]
    seconds: float

    def count(self, name: str) -> int:
        return sum(outcome.name == name for outcome in self.outcomes.values())


def present() -> tuple[str, ...]:
    """The suites that this interpreter ships; distributions leave some or all of them out."""
    return tuple(suite for suite in SUITES if _is_present(suite))


def _is_present(suite: str) -> bool:
    try:
        return importlib.util.find_spec(f"test.{suite}") is not None
    except ImportError:
        return False


def run(suite: str, mode: Mode) -> Run:
    """Run the suite in a process and a working directory of its own."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.jsonl")
        command = [sys.executable, child.__file__, suite, str(results)]
        command += [_ROOT] if mode.plugin else []
        done = _finish(command, folder, {**cleaned(os.environ), **mode.settings})
        lines = results.read_text("utf-8").splitlines() if results.exists() else []
    outcomes = parse(lines)
    if done.returncode:
        outcomes[RUN] = Outcome(f"exit status {done.returncode}", done.stdout[-4000:])
    return Run(suite, mode, outcomes, time.monotonic() - started)


def _finish(
    command: list[str], folder: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What the suites print is their own affair, unless they crash."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


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
