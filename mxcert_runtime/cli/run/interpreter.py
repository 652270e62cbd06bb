"""Whether the plugin starts by itself in a Python: the Python is asked."""

from __future__ import annotations

import shutil
import subprocess

from ...settings import names
from .programs import Program

_ABSENT = 3
_QUESTION = f"""\
import os, sys
os._exit(0 if "mxcert_runtime.start.autostart" in sys.modules else {_ABSENT})
"""
#: seconds; the answer takes some 20 ms, and a bundle first unpacks itself
_PATIENCE = 60.0


def has_autostart(python: Program) -> bool:
    """Whether the plugin starts by itself in this Python, started with these options.

    It is asked with everything disabled: another environment, ``-S`` or a package that is on
    PYTHONPATH alone are told by what they do. Raises ``OSError`` where it cannot be started, and
    ``subprocess.SubprocessError`` where it has no answer.
    """
    done = subprocess.run(  # noqa: S603 - what the user asked to start
        [*python.question, "-c", _QUESTION],
        executable=shutil.which(python.question[0], path=python.environ.get("PATH")),
        env={**python.environ, names.AUTOSTART: "1", names.DISABLE: "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode not in (0, _ABSENT):
        raise subprocess.CalledProcessError(done.returncode, python.question[0])
    return done.returncode == 0
