"""A program that never imports TLS pays for nothing: neither settings nor keys are looked at."""

from __future__ import annotations

import ast

from tests.start.first_tls.calls import BROKEN, run
from tests.support.installation import Installations

_LOADED = """\
import sys
{before}
print([name for name in sys.modules if name.startswith("mxcert_runtime")], "ssl" in sys.modules,
      [name for name in ("cryptography", "wrapt", "threading", "typing") if name in sys.modules])
"""


def test_a_program_without_tls_pays_for_nothing(
    installations: Installations, environment: dict[str, str]
) -> None:
    """It loads what waits, and neither settings nor any key."""
    done = run(installations, _LOADED.format(before="import json"), environment)

    start = ["", ".autostart", ".callers", ".finders"]
    waiting = ["", ".base", ".base.environ", *(f".start{name}" for name in start)]
    expected = [f"mxcert_runtime{name}" for name in waiting]
    loaded, _, others = done.stdout.partition("]")
    assert sorted(expected) == sorted(ast.literal_eval(loaded + "]"))
    assert (" False []\n", "") == (others, done.stderr)


def test_broken_settings_without_tls(
    installations: Installations, environment: dict[str, str]
) -> None:
    """They are nobody's business there."""
    done = run(installations, "print(1)", {**environment, **BROKEN})

    assert (0, "1\n", "") == (done.returncode, done.stdout, done.stderr)
