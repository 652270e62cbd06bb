"""Client programs in a Python process of their own, with an environment that says all there is.

The folder of the program is its working directory, empty but for the program itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import names
from .environment import cleaned

ROOT = Path(__file__).resolve().parents[2]
_BOOTSTRAP = Path(__file__).resolve().parent / "bootstrap"


@dataclass(frozen=True)
class Finished:
    """What a client process left behind."""

    returncode: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """The last line of stdout as JSON; ``AssertionError`` where the process failed."""
        assert self.returncode == 0, f"exit status {self.returncode}\n{self.stderr}"
        lines = self.stdout.strip().splitlines()
        assert lines, f"the process printed nothing\n{self.stderr}"
        return json.loads(lines[-1])


def client_environment(
    extra: Mapping[str, str] | None = None, host_patterns: Sequence[str] = names.DEFAULT_PATTERNS
) -> dict[str, str]:
    """This process's environment without settings, with this repository and the test names.

    ``extra`` comes on top. Without ``host_patterns`` the process starts with no name patched and
    nothing loaded.
    """
    environment = cleaned(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join((str(_BOOTSTRAP), str(ROOT)))
    if host_patterns:
        environment.update(names.variables_for(*host_patterns))
    environment.update(extra or {})
    return environment


def run_client(
    script: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    host_patterns: Sequence[str] = names.DEFAULT_PATTERNS,
    options: Sequence[str] = (),
    stdin: str = "",
    timeout: float = 180.0,
) -> Finished:
    """Run the program text, which may be indented, in a fresh process and wait for its end.

    ``environment`` comes on top of :func:`client_environment`, ``options`` go to the interpreter
    and ``arguments`` to the program. Raises ``subprocess.TimeoutExpired`` after ``timeout``
    seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "client.py")
        program.write_text(textwrap.dedent(script), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, *options, str(program), *arguments],
            env=client_environment(environment, host_patterns),
            cwd=folder,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=timeout,
            check=False,
        )
    return Finished(done.returncode, done.stdout, done.stderr)
