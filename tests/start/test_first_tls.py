"""A start that waits for TLS: it costs nothing before, and no connection is made without it.

Each program here knows nothing of the plugin; what it presents is told by the server.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import sysconfig
import zipapp
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.installation import Installation, Installations, make_environment
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import Finished
from tests.support.tls_server import TlsServer

_BROKEN = {"ClientCertificates": "/nonexistent/client.p12"}

#: one connection, by nothing but `ssl` and `socket`
_CALL = """\
def call(path="/"):
    import json, os, socket, ssl
    address = "localhost", int(os.environ["TARGET_PORT"])
    context = ssl.create_default_context()
    with socket.create_connection(address) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            request = "GET %s HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"
            connection.sendall((request % path).encode())
            while connection.recv(4096):
                pass
"""


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer]) -> TlsServer:
    """It takes every client."""
    return tls_server()


@pytest.fixture
def environment(
    client_files: ClientFiles, authority: Authority, alpha: Leaf, server: TlsServer
) -> dict[str, str]:
    """Settings that can be used, asked for."""
    trust = {"SSL_CERT_FILE": str(client_files.authority(authority))}
    target = {"TARGET_PORT": str(server.port), "MXCERT_AUTOSTART": "1"}
    return {**client_files.variables(alpha), **trust, **target}


def _run(
    installations: Installations,
    text: str,
    environment: Mapping[str, str],
    options: Sequence[str] = (),
) -> Finished:
    installation = installations.wheel
    return installation.run(
        installation.python, *options, "-c", _CALL + text, environment=environment
    )


def _assert_presented(done: Finished, server: TlsServer, *expected: str | None) -> None:
    assert (0, "") == (done.returncode, done.stderr)
    assert list(expected) == [each["fingerprint"] for each in server.answers]


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
    done = _run(installations, _LOADED.format(before="import json"), environment)

    start = ["", ".autostart", ".callers", ".import_lock"]
    waiting = ["", ".base", ".base.environ", *(f".start{name}" for name in start)]
    expected = [f"mxcert_runtime{name}" for name in waiting]
    loaded, _, others = done.stdout.partition("]")
    assert sorted(expected) == sorted(ast.literal_eval(loaded + "]"))
    assert (" False []\n", "") == (others, done.stderr)


def test_broken_settings_without_tls(
    installations: Installations, environment: dict[str, str]
) -> None:
    """They are nobody's business there."""
    done = _run(installations, "print(1)", {**environment, **_BROKEN})

    assert (0, "1\n", "") == (done.returncode, done.stdout, done.stderr)


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

    done = _run(installations, text, {**environment, **_BROKEN})

    assert (78, "before\n") == (done.returncode, done.stdout)
    assert "/nonexistent/client.p12" in done.stderr
    assert [] == list(server.answers)


_WANTED = {
    "ssl": "import ssl",
    "its half in C": "import _ssl",
    "by importlib": "import importlib; importlib.import_module('ssl')",
    "within another": "import http.client",
    "pyOpenSSL": "import OpenSSL",
    "the plugin": "import mxcert_runtime; assert mxcert_runtime.is_active()",
    "a part of it": "from mxcert_runtime.telemetry import observe",
    "a look": "import importlib.util; importlib.util.find_spec('ssl')",
    "nothing": "",
}


@pytest.mark.parametrize("wanted", _WANTED.values(), ids=_WANTED)
def test_however_tls_is_imported(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    wanted: str,
) -> None:
    """The identity is presented."""
    _assert_presented(
        _run(installations, f"{wanted}\ncall()", environment), server, alpha.fingerprint
    )


def test_without_autostart(
    installations: Installations, environment: dict[str, str], server: TlsServer
) -> None:
    """The twin: nothing is presented."""
    asked = {**environment, "MXCERT_AUTOSTART": "0"}

    _assert_presented(_run(installations, "call()", asked), server, None)


_THREADS = """\
import threading
barrier = threading.Barrier(8)
def connect(number):
    barrier.wait()
    call("/%d" % number)
threads = [threading.Thread(target=connect, args=(number,)) for number in range(8)]
sys = __import__("sys"); sys.setswitchinterval(1e-5)
for each in threads: each.start()
for each in threads: each.join()
"""


def test_threads_that_import_it_at_once(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """Whoever does not come first waits for the one that does."""
    _assert_presented(_run(installations, _THREADS, environment), server, *[alpha.fingerprint] * 8)


#: another thread imports `ssl` while the first one activates
_WHILE_IT_ACTIVATES = """\
import sys, threading
from mxcert_runtime.start.import_lock import call_without_import_lock
told = []
acting = threading.Event()
def other():
    assert acting.wait(20)
    import ssl
    in_force = sys.modules.get("mxcert_runtime.decisions.in_force")
    told.append(in_force is not None and in_force.current is not None)
thread = threading.Thread(target=other)
thread.start()
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "mxcert_runtime.hooks":
            acting.set()
            call_without_import_lock(lambda: thread.join(0.3))
sys.meta_path.insert(0, Finder())
import ssl
thread.join()
call()
assert told == [True], told
"""


def test_a_thread_that_imports_it_meanwhile(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """It has the module only once the plugin is active."""
    _assert_presented(
        _run(installations, _WHILE_IT_ACTIVATES, environment), server, alpha.fingerprint
    )


#: another thread is before the last of the finders while the first one activates
_BETWEEN_TWO_FINDERS = """\
import sys, threading
from mxcert_runtime.start.import_lock import call_without_import_lock
between, acting, found = threading.Event(), threading.Event(), threading.Event()
def unlocked(wait):
    assert call_without_import_lock(lambda: wait(20))
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "colorsys" and not between.is_set():
            between.set()
            unlocked(acting.wait)
        elif name == "cryptography" and not acting.is_set():
            acting.set()
            unlocked(found.wait)
sys.meta_path.insert(-1, Finder())
def other():
    try:
        import colorsys
    finally:
        found.set()
threading.Thread(target=other).start()
assert between.wait(20)
call()
assert "colorsys" in sys.modules
"""


def test_a_thread_that_is_asking_the_finders(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """It finds what it imports, however the plugin's own finders come and go meanwhile."""
    _assert_presented(
        _run(installations, _BETWEEN_TWO_FINDERS, environment), server, alpha.fingerprint
    )


#: another thread is handed `ssl` while the first one activates: by `sys.modules`, past its lock
_PAST_THE_LOCK = """\
import sys, threading
told = []
begun, done = threading.Event(), threading.Event()
def other():
    begun.wait()
    import json, os, socket
    ssl = sys.modules["ssl"]
    context = ssl.create_default_context()
    plain = socket.create_connection(("localhost", int(os.environ["TARGET_PORT"])))
    told.append("tried")
    done.set()
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        while connection.recv(4096):
            pass
thread = threading.Thread(target=other)
thread.start()
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "cryptography" and not begun.is_set():
            begun.set()
            done.wait(20)
            thread.join(0.3)
sys.meta_path.append(Finder())
sys.meta_path.insert(0, sys.meta_path.pop())
import ssl
thread.join()
assert told
"""


def test_a_thread_that_has_it_too_early(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """One that gets at the module while the plugin is being activated waits with its connection."""
    _assert_presented(_run(installations, _PAST_THE_LOCK, environment), server, alpha.fingerprint)


#: another thread imports pyOpenSSL, and connects by it, while the first one activates
_THE_OTHER_ENGINE = """\
import sys, threading
from mxcert_runtime.start.import_lock import call_without_import_lock
told = []
acting, tried = threading.Event(), threading.Event()
def other():
    assert acting.wait(20)
    import os, socket
    try:
        from OpenSSL import SSL
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        plain = socket.create_connection(("localhost", int(os.environ["TARGET_PORT"])))
        told.append("mxcert_runtime.hooks.pyopenssl.connections" in sys.modules)
        tried.set()
        connection = SSL.Connection(context, plain)
        connection.set_tlsext_host_name(b"localhost")
        connection.set_connect_state()
        connection.do_handshake()
        connection.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
        try:
            while connection.recv(4096):
                pass
        except SSL.ZeroReturnError:
            pass
        assert SSL.Connection.__init__.__module__ == "OpenSSL.SSL", SSL.Connection.__init__
    finally:
        tried.set()
thread = threading.Thread(target=other)
thread.start()
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "mxcert_runtime.hooks" and not acting.is_set():
            acting.set()
            assert call_without_import_lock(lambda: tried.wait(20))
            call_without_import_lock(lambda: thread.join(0.3))
sys.meta_path.insert(0, Finder())
import ssl
thread.join()
assert told == [False], told
"""


def test_a_thread_that_imports_the_other_engine(
    installations: Installations, environment: dict[str, str], server: TlsServer, alpha: Leaf
) -> None:
    """pyOpenSSL, which comes while another thread activates, waits with its connection."""
    _assert_presented(
        _run(installations, _THE_OTHER_ENGINE, environment), server, alpha.fingerprint
    )


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
import socket, sys
finders = list(sys.meta_path)
sys.meta_path[:] = [each for each in finders if "mxcert" not in type(each).__module__]
import ssl, encodings.idna
{between}
call()
"""


@pytest.mark.parametrize(
    "text",
    [
        _HIDDEN.format(between=""),
        _HIDDEN.format(between="import json"),
        _AWAY.format(between=""),
        _AWAY.format(between="sys.meta_path[:] = finders; import decimal"),
    ],
    ids=["in front", "in front of two", "away", "away for a while"],
)
def test_another_finder_serves_it(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    text: str,
) -> None:
    """What comes unseen is seen at the next import, or when somebody dials."""
    _assert_presented(_run(installations, text, environment), server, alpha.fingerprint)


def test_what_comes_unseen_is_seen_without_a_dial(
    installations: Installations, environment: dict[str, str]
) -> None:
    """By what it imports itself, as far as the other finder leaves that to others."""
    text = _HIDDEN.partition("{between}")[0] + "import ssl\nprint('after')\n"

    done = _run(installations, text, {**environment, **_BROKEN})

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

    done = made.run(made.python, "-c", f"{_CALL}\ncall()", environment=environment)

    _assert_presented(done, server, alpha.fingerprint)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 brought the option")
@pytest.mark.parametrize("value", ["on", "off"])
def test_frozen_modules(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    value: str,
) -> None:
    """Modules of the standard library that come from the interpreter itself."""
    options = ["-X", f"frozen_modules={value}"]

    _assert_presented(
        _run(installations, "call()", environment, options), server, alpha.fingerprint
    )


def test_a_zip_application_that_brings_a_client(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """What it has in it is loaded by another importer, and imports TLS."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "client.py").write_text(f"import ssl\n{_CALL}", encoding="utf-8")
    (sources / "__main__.py").write_text("import client; client.call()\n", encoding="utf-8")
    archive = tmp_path / "application.pyz"
    zipapp.create_archive(sources, archive)
    installation = installations.wheel

    done = installation.run(installation.python, str(archive), environment=environment)

    _assert_presented(done, server, alpha.fingerprint)


_EMBEDDED = """\
#include <Python.h>
int main(int count, char **arguments) {
    Py_Initialize();
    int failed = PyRun_SimpleString(arguments[1]);
    return Py_FinalizeEx() < 0 || failed ? 1 : 0;
}
"""


def _compiled(folder: Path) -> Path | None:
    """A program in C that runs a text by an interpreter within it, where that can be made."""
    library = sysconfig.get_config_var("LIBDIR")
    compiler = shutil.which("cc")
    if compiler is None or not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        return None
    source, program = folder / "embedded.c", folder / "embedded"
    source.write_text(_EMBEDDED, encoding="utf-8")
    version = sysconfig.get_config_var("LDVERSION")
    options = [f"-I{sysconfig.get_path('include')}", f"-L{library}", f"-Wl,-rpath,{library}"]
    command = [compiler, str(source), *options, f"-lpython{version}", "-o", str(program)]
    done = subprocess.run(command, check=False, capture_output=True)
    return program if done.returncode == 0 else None


def test_an_embedded_interpreter(
    installations: Installations,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """A program in C that has Python within it, without arguments of its own."""
    program = _compiled(tmp_path)
    if program is None:
        pytest.skip("no program can be linked to this Python")
    installation = installations.wheel
    site = f"import site; site.addsitedir({str(installation.packages)!r})\n"

    done = installation.run(
        *(str(program), f"{site}{_CALL}\ncall()\n"),
        environment={**environment, "PYTHONHOME": sys.base_prefix},
    )

    _assert_presented(done, server, alpha.fingerprint)


_FORKED = """\
import os, sys, threading
from mxcert_runtime.start.first_tls import FirstTls
begun, go = threading.Event(), threading.Event()
def act():
    begun.set()
    go.wait(0.5)
wait = FirstTls(act, lambda name: True)
wait.start()
thread = threading.Thread(target=lambda: __import__("ssl"))
thread.start()
begun.wait()
child = os.fork()
if not child:
    import ssl
    context = ssl.create_default_context()
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")
    os._exit(0)
thread.join()
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_child_that_forks_meanwhile(installations: Installations) -> None:
    """It waits until the plugin is there, and is no child that waits for ever."""
    done = installations.wheel.run(
        *(installations.wheel.python, "-W", "ignore", "-c", _FORKED), environment={}
    )

    assert (0, "0\n", "") == (done.returncode, done.stdout, done.stderr)


_DIALLED = """\
import json, os, socket, sys
port = int(os.environ["TARGET_PORT"])
{dial}
assert "ssl" not in sys.modules
import ssl
context = ssl.create_default_context()
context.check_hostname = False
with context.wrap_socket(plain) as connection:
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    while connection.recv(4096):
        pass
import mxcert_runtime
mxcert_runtime.deactivate()
assert socket.create_connection.__module__ == "socket", socket.create_connection
assert "connect" not in vars(socket.socket)
assert "_wrap_socket" not in vars(ssl.SSLContext)
"""
_DIALS = {
    "create_connection": "plain = socket.create_connection(('localhost', port))",
    "connect": "plain = socket.socket(); plain.connect(('localhost', port))",
    "connect_ex": "plain = socket.socket(); plain.connect_ex(('localhost', port))",
}


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are told apart on Linux")
@pytest.mark.parametrize("dial", _DIALS.values(), ids=_DIALS)
def test_a_socket_that_was_dialled_before(
    installations: Installations,
    client_files: ClientFiles,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    dial: str,
) -> None:
    """A rule by name counts for a client that names no host to TLS, and has dialled early; and
    nothing of what stood in is left when the plugin goes."""
    rules = client_files.variables(usages={"localhost": alpha})

    done = _run(installations, _DIALLED.format(dial=dial), {**environment, **rules})

    _assert_presented(done, server, alpha.fingerprint)


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
