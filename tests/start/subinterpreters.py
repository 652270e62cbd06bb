"""Programs that run a text in a second interpreter of their process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tests.support.installation import Installation
from tests.support.subprocesses import Finished

#: Python 3.13 renamed the module; before 3.10 there was nothing to be chosen.
_RUN = """\
import sys

def run_in_another(text):
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters
        failure = interpreters.exec(interpreters.create(sys.argv[1]), text)
        assert failure is None, failure
    else:
        import _xxsubinterpreters as interpreters
        chosen = {"isolated": sys.argv[1] == "isolated"} if sys.version_info >= (3, 10) else {}
        interpreters.run_string(interpreters.create(**chosen), text)
"""

#: Python 3.12.1 crashes where it destroys an isolated interpreter in which `ssl` was imported.
_END = "import os; sys.stdout.flush(); sys.stderr.flush(); os._exit(0)"

KINDS = ("isolated", "legacy")


def run_program(
    installation: Installation,
    kind: str,
    inside: str,
    environment: Mapping[str, str],
    around: Sequence[str] = ("", ""),
) -> Finished:
    """Run ``inside`` in a subinterpreter of that kind, between the two texts of ``around``."""
    lines = [_RUN, around[0], f"run_in_another({inside!r})", around[1], _END]
    command = [installation.python, "-c", "\n".join(lines), kind]
    return installation.run(*command, environment=environment)


def lines_of(done: Finished) -> list[object]:
    """What the program printed, each line a JSON value; it must have ended well."""
    assert (0, "") == (done.returncode, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]
