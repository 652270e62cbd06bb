"""CPython's suites as subprocesses: which there are, and the results of one run of one of them."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.support.environment import cleaned
from tests.support.outcomes import RUN, Run, finish, parse
from tests.support.plugin_modes import Mode

from . import child

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

#: More than the child waits before it shows its stacks and ends.
_SECONDS = 2.0 * child.HANG_SECONDS

_ROOT = str(Path(__file__).parents[2])


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
        environment = {**cleaned(os.environ), **mode.settings}
        end = finish(command, Path(folder), environment, _SECONDS)
        lines = results.read_text("utf-8").splitlines() if results.exists() else []
    outcomes = parse(lines)
    if end:
        outcomes[RUN] = end
    return Run(suite, mode, outcomes, time.monotonic() - started)
