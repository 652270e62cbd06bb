"""A plugin that comes at the last moment, to see one thing alone before the connection, sees it.

The socket is dialled before the plugin waits, and nothing else is imported after: whatever else
would have seen TLS elsewhere sees nothing here.
"""

from __future__ import annotations

import sys
import zipapp
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.start.first_tls.calls import assert_presented
from tests.start.first_tls.embedding import run_embedded
from tests.support.installation import Installation, Installations, make_environment
from tests.support.pki import Leaf
from tests.support.subprocesses import Finished
from tests.support.tls_server import TlsServer

_Run = Callable[[Installation, str, Mapping[str, str], Path], Finished]

_TEXT = """\
import os, socket, site
{loaded}
plain = socket.create_connection(("localhost", int(os.environ["TARGET_PORT"])))
site.addsitedir({packages!r})
{then}
import ssl
with ssl.create_default_context().wrap_socket(plain, server_hostname="localhost") as connection:
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    while connection.recv(4096):
        pass
"""
_AWAY = """\
import sys
finders = list(sys.meta_path)
sys.meta_path[:] = [each for each in finders if "mxcert" not in type(each).__module__]
import ssl
sys.meta_path[:] = finders
import decimal
"""
_BEHIND_ANOTHER = """\
import sys
from importlib.machinery import PathFinder
class Finder:
    def find_spec(self, name, path=None, target=None):
        return PathFinder.find_spec(name, path, target)
sys.meta_path.insert(0, Finder())
try:
    import this_is_not_there  # so that every finder is asked
except ImportError:
    pass
"""
_ALL_BUT_SSL = "import _ssl, base64, errno, warnings"
#: what is loaded before, what comes then, and so what has to see it
_MOMENTS = {
    "the import of ssl": (_ALL_BUT_SSL, ""),
    "what is loaded already": ("import ssl", ""),
    "the next import": ("", _AWAY),
    "the import of ssl, once it is the first finder again": (_ALL_BUT_SSL, _BEHIND_ANOTHER),
}


def _by_option(*options: str) -> _Run:
    def run(
        program: Installation, text: str, environment: Mapping[str, str], folder: Path
    ) -> Finished:
        return program.run(program.python, *options, "-c", text, environment=environment)

    return run


def _in_archive(
    program: Installation, text: str, environment: Mapping[str, str], folder: Path
) -> Finished:
    """The program is in another module of the archive, as those that bundle others have it."""
    sources = folder / "sources"
    sources.mkdir()
    (sources / "client.py").write_text(text, encoding="utf-8")
    (sources / "__main__.py").write_text("import client\n", encoding="utf-8")
    zipapp.create_archive(sources, folder / "application.pyz")
    return program.run(program.python, str(folder / "application.pyz"), environment=environment)


def _in_c(
    program: Installation, text: str, environment: Mapping[str, str], folder: Path
) -> Finished:
    return run_embedded(program, folder, environment, text)


_FROZEN = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 brought the option")
_WAYS = [
    pytest.param(_by_option(), id="python"),
    pytest.param(_by_option("-X", "frozen_modules=on"), id="frozen modules", marks=_FROZEN),
    pytest.param(_by_option("-X", "frozen_modules=off"), id="no frozen ones", marks=_FROZEN),
    pytest.param(_in_archive, id="zip application"),
    pytest.param(_in_c, id="embedded"),
]


def _text(installations: Installations, loaded: str, then: str) -> str:
    return _TEXT.format(packages=str(installations.wheel.packages), loaded=loaded, then=then)


@pytest.mark.parametrize(("loaded", "then"), _MOMENTS.values(), ids=_MOMENTS)
@pytest.mark.parametrize("run", _WAYS)
def test_the_identity_is_presented(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
    run: _Run,
    loaded: str,
    then: str,
) -> None:
    """However the interpreter was started."""
    program = make_environment(tmp_path / "environment")

    done = run(program, _text(installations, loaded, then), environment, tmp_path)

    assert_presented(done, server, alpha.fingerprint)


@pytest.mark.parametrize("run", _WAYS)
def test_without_autostart(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    tmp_path: Path,
    run: _Run,
) -> None:
    """The twin: nothing is presented, and nothing stands in the way."""
    program = make_environment(tmp_path / "environment")
    asked = {**environment, "MXCERT_AUTOSTART": "0"}

    done = run(program, _text(installations, "import ssl", ""), asked, tmp_path)

    assert_presented(done, server, None)
