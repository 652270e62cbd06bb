"""One run of a suite in one mode, in a process and a copy of its source of its own."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tests.support.environment import cleaned
from tests.support.outcomes import RUN, Run, finish, parse
from tests.support.plugin_modes import Mode

from .values import Suite

_RECORDER = Path(__file__).with_name("recorder")


def run(suite: Suite, mode: Mode, tests: Collection[str] = ()) -> Run:
    """Run ``tests`` by their ids, or all of the suite that is not left out."""
    started = time.monotonic()
    folder = suite.environment.folder / "run"
    shutil.rmtree(folder, ignore_errors=True)
    source = shutil.copytree(suite.source, folder / "source")
    results = folder / "results.jsonl"
    end = finish(_command(suite, tests), source, _variables(mode, results), suite.seconds)
    lines = _lines(results)
    outcomes = parse(json.dumps(line) for line in lines if "test" in line)
    # 1 is that tests failed, which their outcomes say
    if end and end.name != "exit status 1":
        outcomes[RUN] = end
    connections = sum(line.get("connections", 0) for line in lines)
    return Run(suite.name, mode, outcomes, time.monotonic() - started, connections)


def _command(suite: Suite, tests: Collection[str]) -> list[str]:
    pytest = (suite.environment.python, "-m", "pytest", "-p", "suite_recorder", "-q")
    names = " or ".join(name for name, _ in suite.left_out)
    left_out = ("-k", f"not ({names})") if names else ()
    return [*pytest, "-p", "no:cacheprovider", *left_out, *suite.options, *(tests or suite.paths)]


def _variables(mode: Mode, results: Path) -> dict[str, str]:
    """As a deployment would set them; nothing but these says that the plugin is wanted."""
    variables = {**cleaned(os.environ), **mode.settings}
    if mode.plugin:
        variables["MXCERT_AUTOSTART"] = "1"
    return {**variables, "PYTHONPATH": str(_RECORDER), "SUITE_RESULTS": str(results)}


def _lines(results: Path) -> list[dict[str, Any]]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text("utf-8").splitlines()]
