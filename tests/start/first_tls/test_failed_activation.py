"""An activation that fails ends the process, before any connection without an identity."""

from __future__ import annotations

import pytest

from tests.start.first_tls.calls import BROKEN, run
from tests.support.installation import Installations
from tests.support.tls_server import TlsServer


@pytest.mark.parametrize(
    "wanted", ["import ssl", "import _ssl", "import OpenSSL", "import urllib.request", "call()"]
)
def test_broken_settings_end_it_before_any_connection(
    installations: Installations, environment: dict[str, str], server: TlsServer, wanted: str
) -> None:
    """With 78, at the very import, and what it said before is not lost."""
    text = (
        f"print('before')\ntry:\n    {wanted}\nexcept BaseException: pass\nprint('after')\ncall()"
    )

    done = run(installations, text, {**environment, **BROKEN, "PYTHONUNBUFFERED": ""})

    assert (78, "before\n") == (done.returncode, done.stdout)
    assert "/nonexistent/client.p12" in done.stderr
    assert [] == list(server.answers)


_DEEP = """\
import sys
def dive(frames):
    if frames:
        return dive(frames - 1)
    import ssl
def is_active():
    in_force = sys.modules.get("mxcert_runtime.decisions.in_force")
    return in_force is not None and in_force.current is not None
if sys.argv[1] != "whole":
    try:
        dive(sys.getrecursionlimit() - int(sys.argv[1]))
    except RecursionError:
        pass
import ssl
print(is_active())
"""


def test_the_end_of_the_stack(installations: Installations, environment: dict[str, str]) -> None:
    """A stack that ends while the plugin starts ends the process; nobody goes on without it."""
    installation = installations.wheel
    outcomes = set()
    for left in (*range(40, 76, 3), "whole"):
        done = installation.run(
            *(installation.python, "-c", _DEEP, str(left)), environment=environment
        )
        outcomes.add((done.returncode, done.stdout))

    assert {(0, "True\n"), (78, "")} == outcomes
