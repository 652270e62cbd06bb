"""Default trust is what OpenSSL finds by itself, whatever Python believes of the environment."""

from __future__ import annotations

import json
import os
import shutil
import site
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from mxcert_runtime.base import c_environment
from tests.contexts.ground import FOREIGN, GOOD, Activation, Ground
from tests.contexts.loading import loaded
from tests.contexts.verdicts import attempt
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf
from tests.support.subprocesses import ROOT, client_environment, run_client
from tests.support.tls_server import TlsServer

_CONNECT = """
import json, os, socket, ssl, sys
import mxcert_runtime

port, one, other = sys.argv[1:]

def accepts(context):
    try:
        with socket.create_connection(("127.0.0.1", int(port))) as plain:
            with context.wrap_socket(plain, server_hostname="good.test") as connection:
                connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                return b"fingerprint" in connection.recv(65536)
    except ssl.SSLCertVerificationError:
        return False
"""

_CHANGED_IN_C = (
    _CONNECT
    + """
import ctypes
library = ctypes.CDLL(None)
seen = []
for path in (one, other, one):
    library.setenv(b"SSL_CERT_FILE", path.encode(), 1)
    for _ in range(3):
        context = ssl.create_default_context()
        seen.append(accepts(context))
library.unsetenv(b"SSL_CERT_FILE")
seen.append(accepts(ssl.create_default_context()))
print(json.dumps([mxcert_runtime.is_active(), "SSL_CERT_FILE" in os.environ, seen]))
"""
)


@pytest.mark.skipif(sys.platform == "win32", reason="Python and C share their variables there")
@pytest.mark.parametrize("active", [True, False])
def test_variables_that_python_does_not_see(
    active: bool,
    ground: Ground,
    server: TlsServer,
    client_files: ClientFiles,
    alpha: Leaf,
) -> None:
    """What C code puts into the environment counts from the next context on."""
    one = ground.file(ground.realm.authority.pem)
    other = ground.file(ground.realm.foreign.pem, "other.pem")
    variables = {**client_files.variables(usages={GOOD: alpha}), "SSL_CERT_DIR": "/nowhere"}
    if not active:
        variables["MXCERT_DISABLE"] = "1"
    told = run_client(
        _CHANGED_IN_C, str(server.port), str(one), str(other), environment=variables
    ).json()
    assert [active, False, [True] * 3 + [False] * 3 + [True] * 3 + [False]] == told


_PRIVILEGED = (
    _CONNECT
    + """
import ctypes
library = ctypes.CDLL(None)
library.getauxval.restype = ctypes.c_ulong
seen = [accepts(ssl.create_default_context()) for _ in range(3)]
print(json.dumps([mxcert_runtime.is_active(), library.getauxval(23), seen]))
"""
)


def _privileged_python(folder: Path) -> Path:
    """A copy of this Python that the kernel starts with another group: AT_SECURE is set."""
    copied = folder / "python"
    shutil.copy(os.path.realpath(sys.executable), copied)
    os.chown(copied, -1, os.getgid() + 12)
    copied.chmod(0o2755)
    return copied


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root gives files away"
)
@pytest.mark.parametrize("active", [True, False])
def test_privileged_process(
    active: bool,
    ground: Ground,
    server: TlsServer,
    client_files: ClientFiles,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """A process of another group than its caller's takes no authority from a variable, ever."""
    bundle = ground.file(ground.realm.authority.pem)
    environment = {
        **client_environment(client_files.variables(usages={GOOD: alpha}), host_patterns=()),
        "PYTHONHOME": sys.base_prefix,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()]),
        "SSL_CERT_FILE": str(bundle),
        "MXCERT_DISABLE": "" if active else "1",
    }
    done = subprocess.run(
        [_privileged_python(tmp_path), "-c", _PRIVILEGED, str(server.port), "", ""],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not json.loads(done.stdout)[1]:
        pytest.skip(f"no privilege to be had here: {done.stderr[-200:]}")
    assert [active, 1, [False] * 3] == json.loads(done.stdout)


def _forget_ctypes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setitem(sys.modules, "ctypes", None)
    c_environment._reader.cache_clear()


def test_where_nobody_knows_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be loaded just now, as in the middle of its own load, is asked for again."""
    monkeypatch.setenv("SSL_CERT_FILE", "/a/file")
    with monkeypatch.context() as within:
        _forget_ctypes(within)
        with pytest.raises(c_environment.UnknownEnvironmentError):
            c_environment.openssl_variable("SSL_CERT_FILE")
    assert "/a/file" == c_environment.openssl_variable("SSL_CERT_FILE")


_FORKS = """
    import os, signal, sys, threading
    from importlib.machinery import ModuleSpec, PathFinder
    import mxcert_runtime
    from mxcert_runtime.base import openssl_variable

    class Finder:
        def find_spec(self, name, path=None, target=None):
            self.path = path
            return ModuleSpec(name, self) if name == "ctypes._endian" else None
        def create_module(self, spec):
            return None
        def exec_module(self, module):
            begun.set()
            # The process that forks waits for this, unless it does not wait at all.
            ended.wait(0.3)
            PathFinder.find_spec("ctypes._endian", self.path).loader.exec_module(module)

    begun, ended = threading.Event(), threading.Event()
    early = "ctypes" in sys.modules
    sys.meta_path.insert(0, Finder())
    # What a context of default trust asks, and nothing else that could wait.
    thread = threading.Thread(target=openssl_variable, args=["SSL_CERT_FILE"])
    thread.start()
    assert begun.wait(60)
    child = os.fork()
    if not child:
        signal.alarm(20)
        openssl_variable("SSL_CERT_FILE")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    ended.set()
    thread.join()
    print([int(early), status])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_of_a_parent_that_is_about_to_know(client_files: ClientFiles, alpha: Leaf) -> None:
    """It waits for no thread that it does not have."""
    variables = client_files.variables(alpha)
    assert [0, 0] == run_client(_FORKS, environment=variables, host_patterns=()).json()


def test_where_nobody_knows(
    ground: Ground,
    server: TlsServer,
    activate: Activation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a way to ask the C library each context does its load, and verifies by itself."""
    _forget_ctypes(monkeypatch)
    ground.default_paths(ground.file(ground.realm.authority.pem))
    activate()
    for _ in range(2):
        context = ssl.create_default_context()
        assert 1 == loaded(context)
        assert activate.leaf.fingerprint == attempt(context, server.port, GOOD).fingerprint
        assert "SSLCertVerificationError" == attempt(context, server.port, FOREIGN).error


@pytest.mark.parametrize("directory", ["pkcs11:token", "file:somewhere"])
def test_uri_of_a_store(
    directory: str, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """What may be the URI of a store, where others than OpenSSL cannot look, is left to it."""
    ground.default_paths(ground.file(ground.realm.authority.pem), directory)
    activate()
    contexts = [ssl.create_default_context() for _ in range(2)]
    assert [1, 1] == list(map(loaded, contexts))
    assert attempt(contexts[1], server.port, GOOD).accepted
