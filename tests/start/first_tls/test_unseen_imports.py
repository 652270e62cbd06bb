"""TLS that comes unseen, past the finder that waits for it, is seen before it connects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.start.first_tls.calls import BROKEN, CALL, assert_presented, run
from tests.support.installation import Installation, Installations, make_environment
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

_HIDDEN = """\
import sys
from importlib.machinery import PathFinder
class Finder:
    def find_spec(self, name, path=None, target=None):
        return PathFinder.find_spec(name, path, target)
sys.meta_path.insert(0, Finder())
{between}
import ssl
call()
"""
_AWAY = """\
import sys
{first}
finders = list(sys.meta_path)
sys.meta_path[:] = [each for each in finders if "mxcert" not in type(each).__module__]
import ssl, encodings.idna
{between}
call()
"""
_BACK = "sys.meta_path[:] = finders; import decimal"


@pytest.mark.parametrize(
    "text",
    [
        _HIDDEN.format(between=""),
        _HIDDEN.format(between="import json"),
        _AWAY.format(first="import socket", between=""),
        _AWAY.format(first="import socket", between=_BACK),
        _AWAY.format(first="", between=_BACK),
    ],
    ids=["in front", "in front of two", "away", "away for a while", "away from the start"],
)
def test_another_finder_serves_it(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    text: str,
) -> None:
    """What comes unseen is seen at the next import, or when somebody dials."""
    assert_presented(run(installations, text, environment), server, alpha.fingerprint)


def test_what_comes_unseen_is_seen_without_a_dial(
    installations: Installations, environment: dict[str, str]
) -> None:
    """By what it imports itself, as far as the other finder leaves that to others."""
    text = _HIDDEN.partition("{between}")[0] + "import ssl\nprint('after')\n"

    done = run(installations, text, {**environment, **BROKEN})

    assert (78, "") == (done.returncode, done.stdout)


def _with_another_file(installation: Installation, folder: Path, line: str) -> Installation:
    """An environment that has the package, and a ``.pth`` file that comes before ours."""
    made = make_environment(folder / "environment", [str(installation.packages)])
    text = f"import site; site.addsitedir({str(installation.packages)!r})"
    (made.packages / "aaa.pth").write_text(f"import sys; {line}\n", encoding="utf-8")
    (made.packages / "zzz.pth").write_text(f"{text}\n", encoding="utf-8")
    return made


@pytest.mark.parametrize("line", ["import ssl", "import socket", "import OpenSSL"])
def test_ssl_is_loaded_before_site_ends(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
    line: str,
) -> None:
    """Another ``.pth`` file imports it, before ours or after."""
    made = _with_another_file(installations.wheel, tmp_path, line)

    done = made.run(made.python, "-c", f"{CALL}\ncall()", environment=environment)

    assert_presented(done, server, alpha.fingerprint)
