"""Runs the program of a row in processes of its own and judges it by what the servers saw."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.listener import Records
from tests.support.subprocesses import ROOT, client_environment
from tests.support.tls_listener import TlsListener

from . import environments
from .scene import Scene, Step
from .values import KEEPING, LATE, Cell, Column, Measured, Row, Verdict

_CHILD = Path(__file__).with_name("child.py")
_SHADOW = Path(__file__).with_name("shadow")
#: seconds for the end of a program, whatever hangs in it
_LIMIT = 120
#: seconds for the server's end of a handshake whose client is done
_SETTLING = 2.0


@dataclass(frozen=True)
class Observed:
    """What came of a call: fingerprints by handshake, and by request where the server knows."""

    failed: str | None
    shown: list[str | None]
    served: list[str | None] | None


class Program:
    """The program of a row, waiting for calls."""

    def __init__(self, row: Row, scene: Scene, plugin: str) -> None:
        environment = client_environment(scene.environment(), host_patterns=())
        environment["PYTHONPATH"] = os.pathsep.join((str(_SHADOW), environment["PYTHONPATH"]))
        environment["EVENTLET_NO_GREENDNS"] = "yes"
        environment["GRPC_DNS_RESOLVER"] = "native"
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the program
        self._process = subprocess.Popen(
            ["timeout", str(_LIMIT), environments.python_of(row.environment), str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        description = {"plugin": plugin, "imports": row.imports, "program": row.program}
        self._tell(description)
        if self._listen() != "ready":
            raise AssertionError(f"{row.name} does not start: {self.end()}")

    def call(self, step: Step) -> str | None:
        """Make a call; what it failed with, if it did."""
        self._tell({"host": step.host, "port": step.server.port, "service": step.service})
        answer = self._listen()
        if not answer:
            return f"the program has ended: {self.end()}"
        failed: str | None = json.loads(answer)
        return failed

    def end(self) -> str:
        """End it; the last line of what it said of errors."""
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        return (self._errors.read().strip().splitlines() or ["it said nothing"])[-1][:300]

    def _tell(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # what it said last tells why

    def _listen(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def measure(row: Row) -> Measured:
    """Every column of a row, and its control."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        scene = Scene(folder, stack, row.server)
        first = _run(row, scene, "first")
        cells = {column: _cell(row, column, first) for column in Column if column in first}
        if row.imports:
            last = _run(row, scene, "last")
            cells[Column.ORDER] = _order(row, first, last)
        control = _control(row, _run(row, scene, "none"))
    return Measured(row, environments.version_of(row), cells, control)


def _run(row: Row, scene: Scene, plugin: str) -> dict[Column, list[str]]:
    """What is wrong, by column; an empty list where nothing is."""
    program = Program(row, scene, plugin)
    found: dict[Column, list[str]] = {}
    try:
        for step in scene.steps(row.keeps):
            wanted = step if plugin != "none" else _without_plugin(step)
            words = _judge(wanted, _observe(program, step))
            found.setdefault(step.column, []).extend(words)
    finally:
        program.end()
    return found


def _without_plugin(step: Step) -> Step:
    # The authority that the rule does not pin is one that the client trusts.
    return replace(step, expected=None, refused=step.column is Column.WRONG_NAME)


def _observe(program: Program, step: Step) -> Observed:
    """What the call failed with, and what the server saw meanwhile."""
    server = step.server
    answers: Records[str | None] | None = getattr(server, "answers", None)
    handshakes, requests = len(server.seen), len(answers or ())
    failed = program.call(step)
    _settle(server)
    shown = [each.fingerprint for each in list(server.seen)[handshakes:]]
    return Observed(failed, shown, None if answers is None else list(answers)[requests:])


def _settle(server: TlsListener) -> None:
    """Wait until every connection has come to the end of its handshake, if it comes to one."""
    end = time.monotonic() + _SETTLING
    while time.monotonic() < end:
        if len(server.seen) + len(server.failures) >= server.connections:
            return
        time.sleep(0.01)


def _judge(step: Step, observed: Observed) -> list[str]:
    if step.refused:
        return _judge_refused(step, observed)
    seen = set(observed.shown if observed.served is None else observed.served)
    if not seen:
        return [f"no connection: {observed.failed}"]
    return [] if seen == {step.expected} else [f"the server saw {_words(seen)}"]


def _judge_refused(step: Step, observed: Observed) -> list[str]:
    if observed.failed is not None and not observed.shown and not observed.served:
        return []
    is_late = observed.failed is not None and observed.served == []
    if step.column is Column.WRONG_NAME and is_late:
        return [LATE]
    return [f"not refused, the server saw {_words({*observed.shown, *(observed.served or ())})}"]


def _words(seen: Iterable[str | None]) -> str:
    return " and ".join("no certificate" if each is None else "one" for each in seen) or "nothing"


def _cell(row: Row, column: Column, found: dict[Column, list[str]]) -> Cell:
    problems = found[column]
    known = row.known.get(column)
    if problems == [LATE] and known is None:
        return Cell(Verdict.LATE, LATE)
    if problems:
        words = "; ".join(problems)
        return Cell(Verdict.WRONG, words) if known is None else Cell(Verdict.KNOWN, known)
    if known is not None:
        return Cell(Verdict.WRONG, f"is right now, and said to be not: {known}")
    if column in KEEPING and not row.keeps and column is Column.KEPT:
        return Cell(Verdict.NOT_THERE)
    return Cell(Verdict.RIGHT)


def _order(row: Row, first: dict[Column, list[str]], last: dict[Column, list[str]]) -> Cell:
    """The same whichever is imported first."""
    differing = [
        f"{column.value}: {'; '.join(last[column]) or 'right'}"
        for column in first
        if bool(first[column]) != bool(last[column])
    ]
    if not differing:
        return Cell(Verdict.RIGHT)
    known = row.known.get(Column.ORDER)
    return (
        Cell(Verdict.WRONG, "; ".join(differing)) if known is None else Cell(Verdict.KNOWN, known)
    )


def _control(row: Row, found: dict[Column, list[str]]) -> Cell:
    problems = [
        f"{column.value}: {'; '.join(words)}"
        for column, words in found.items()
        if words and words != [LATE] and column not in row.known
    ]
    return Cell(Verdict.WRONG, "; ".join(problems)) if problems else Cell(Verdict.RIGHT)
