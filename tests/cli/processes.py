"""Runs the command in a process of its own, with a temporary folder that a test can look into."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.environment import cleaned
from tests.support.subprocesses import ROOT

#: seconds; the demo itself takes about three, on a machine that has nothing else to do
TIMEOUT = 180.0
MODULE = (sys.executable, "-W", "error", "-m", "mxcert_runtime")


def command_environment(temporary: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """No settings but ``extra``, this repository, and ``temporary`` for temporary files."""
    environment = {**cleaned(os.environ), "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    return {**environment, **(extra or {})}


def run_command(
    temporary: Path,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    program: Sequence[str] = MODULE,
) -> subprocess.CompletedProcess[str]:
    """Run ``mxcert`` with these arguments, by default as ``python -m mxcert_runtime``."""
    return subprocess.run(
        [*program, *arguments],
        env=command_environment(temporary, settings),
        cwd=temporary.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
