"""Runs one of CPython's suites in this process and writes one line of JSON per event.

Started by :mod:`.suites` as ``child.py SUITE RESULTS [PLUGIN_ROOT]``. It needs the standard
library only: what is observed is the interpreter as it comes and, with PLUGIN_ROOT, what our
import changes in it. A line is written at once, so that a crash loses no result but its own.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import sys
import traceback
import unittest
from typing import Any, TextIO

#: Seconds after which a suite that hangs shows its stacks and ends.
HANG_SECONDS = 180

#: Only the slow tests ("walltime"): what wants the internet ("network", "urlfetch") is skipped.
RESOURCES = ["walltime"]


class RecordingResult(unittest.TestResult):
    """Writes the start and the outcome of every test to a stream."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._lines = stream

    def _record(self, test: Any, outcome: str, text: str = "") -> None:
        line = {"test": test.id(), "outcome": outcome, "text": text}
        print(json.dumps(line), file=self._lines, flush=True)

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self._record(test, "started")

    def addSuccess(self, test: Any) -> None:
        self._record(test, "ok")

    def addFailure(self, test: Any, err: Any) -> None:
        self._record(test, "fail", _text(err))

    def addError(self, test: Any, err: Any) -> None:
        self._record(test, "error", _text(err))

    def addSkip(self, test: Any, reason: str) -> None:
        self._record(test, "skip", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self._record(test, "expected failure")

    def addUnexpectedSuccess(self, test: Any) -> None:
        self._record(test, "unexpected success")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is None:
            return
        outcome = "fail" if issubclass(err[0], test.failureException) else "error"
        # A subtest's id holds its parameters, ports among them; the test's own id is stable.
        self._record(test, outcome, f"{subtest}\n{_text(err)}")


def _text(err: Any) -> str:
    return "".join(traceback.format_exception(*err))


def activate(plugin_root: str) -> None:
    """Import the plugin as a program does in its first line, and insist that it is at work."""
    sys.path.insert(0, plugin_root)
    importlib.import_module("mxcert_runtime")
    ssl: Any = importlib.import_module("ssl")
    if "_wrap_socket" not in vars(ssl.SSLContext):
        raise SystemExit("the plugin is imported but hooks nothing: a comparison would be void")


def main(arguments: list[str]) -> None:
    """Run the suite named first, into the file named second, under the plugin if one is named."""
    suite, results, *plugin_root = arguments
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
    for root in plugin_root:
        activate(root)
    support: Any = importlib.import_module("test.support")
    # Before the suite is imported: its decorators ask for the resources when they are applied.
    support.use_resources = RESOURCES
    tests = unittest.defaultTestLoader.loadTestsFromName(f"test.{suite}")
    with open(results, "w", encoding="utf-8") as stream:
        tests.run(RecordingResult(stream))


if __name__ == "__main__":
    main(sys.argv[1:])
