"""A plugin of pytest: one line of JSON for the start of each test and for each of its ends.

The file is named by SUITE_RESULTS. A line is written at once, so that a crash loses no result but
its own. Where MXCERT_AUTOSTART asks for the plugin, a run that it does not hook ends at once, and
the last line says on how many connections it decided. Nothing here imports the plugin.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
from typing import Any, TextIO

import pytest

#: what differs from run to run in the ids of parameters
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_HERE = os.getcwd()
_OUTCOMES = {"passed": "ok", "failed": "fail", "skipped": "skip"}


def pytest_configure(config: pytest.Config) -> None:
    """Insist that the plugin is at work where it is asked for, and record from here on."""
    if os.environ.get("MXCERT_AUTOSTART") and "_wrap_socket" not in vars(ssl.SSLContext):
        pytest.exit("autostart hooks nothing: a comparison would be void", returncode=3)
    stream = open(os.environ["SUITE_RESULTS"], "w", encoding="utf-8")  # noqa: SIM115
    config.pluginmanager.register(_Recorder(stream), "suite recorder")


class _Recorder:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def _write(self, **line: object) -> None:
        print(json.dumps(line), file=self._stream, flush=True)

    def _record(self, test: str, outcome: str, text: str = "") -> None:
        stable = _ADDRESS.sub("0x", test.replace(_HERE, "."))
        self._write(test=stable, outcome=outcome, text=text)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._record(nodeid, "started")

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._record(report.nodeid, _outcome(report), report.longreprtext)

    def pytest_collectreport(self, report: Any) -> None:
        """A file that cannot be collected is an outcome, and not silence."""
        if report.failed:
            self._record(f"{report.nodeid} (collection)", "error", report.longreprtext)

    def pytest_sessionfinish(self) -> None:
        plugin: Any = sys.modules.get("mxcert_runtime")
        if plugin is not None:
            counted = plugin.metrics()["connections"]
            self._write(connections=sum(each["count"] for each in counted))


def _outcome(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        # Its authors let it end as it will; where they do not, success is reported as failure.
        return "xfail"
    if report.outcome == "failed" and report.when != "call":
        return "error"
    return _OUTCOMES[report.outcome]
