"""A process without a free descriptor fails at that, and is well when it has some again."""

from __future__ import annotations

import sys

import pytest

from tests.contexts.ground import GOOD, Ground
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")

_PROGRAM = """
import contextlib, errno, json, os, resource, socket, ssl, sys

port, bundle, form = sys.argv[1:]
os.environ["SSL_CERT_FILE"], os.environ["SSL_CERT_DIR"] = bundle, "/nowhere"
import mxcert_runtime

TEXT = open(bundle).read()

def make():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if form == "file":
        context.load_verify_locations(bundle)
    elif form == "data":
        context.load_verify_locations(cadata=TEXT)
    else:
        context.load_default_certs()
    return context

def see(context, plain=None):
    try:
        plain = plain or socket.create_connection(("127.0.0.1", int(port)))
        with plain, context.wrap_socket(plain, server_hostname="good.test") as connection:
            connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return json.loads(answer.partition(b"\\r\\n\\r\\n")[2])["fingerprint"]
    except OSError as error:
        return errno.errorcode.get(error.errno, repr(error))

@contextlib.contextmanager
def without_descriptors():
    taken, limits = [], resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    try:
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

def dialled():
    return socket.create_connection(("127.0.0.1", int(port)))

def holds(context):
    return context.cert_store_stats()["x509"]
"""

_CONNECTION = (
    _PROGRAM
    + """
first, second = make(), make()
socket_of_first, socket_of_second = dialled(), dialled()
with without_descriptors():
    during = [see(first, socket_of_first), see(second, socket_of_second)]
after = [see(each) for each in (first, second, make(), first)]
print(json.dumps([during, after, [holds(first), holds(second)]]))
"""
)

_LOAD = (
    _PROGRAM
    + """
def attempt():
    try:
        return make()
    except OSError as error:
        return errno.errorcode.get(error.errno, repr(error))

def told(context):
    return context if isinstance(context, str) else [holds(context), see(context)]

with without_descriptors():
    made = attempt()
print(json.dumps([told(made), see(make())]))
"""
)

_LOOK = (
    _PROGRAM
    + """
make()
context = make()
with without_descriptors():
    try:
        during = holds(context)
    except OSError as error:
        during = errno.errorcode[error.errno]
print(json.dumps([during, holds(context), see(context)]))
"""
)


@pytest.mark.versions_in_turns
@pytest.mark.parametrize("form", ["file", "data", "default"])
class TestDescriptors:
    def test_connection(
        self, form: str, ground: Ground, server: TlsServer, client_files: ClientFiles, alpha: Leaf
    ) -> None:
        """A first connection without descriptors has that error; later ones the identity."""
        during, after, held = self._run(_CONNECTION, form, ground, server, client_files, alpha)
        assert {"EMFILE"} == set(during)
        assert [alpha.fingerprint] * 4 == after
        assert [1, 1] == held

    def test_load(
        self, form: str, ground: Ground, server: TlsServer, client_files: ClientFiles, alpha: Leaf
    ) -> None:
        """A first load without descriptors does what it does without us; the next one is well."""
        made, later = self._run(_LOAD, form, ground, server, client_files, alpha)
        plain, _ = self._run(_LOAD, form, ground, server, client_files, alpha, MXCERT_DISABLE="1")
        if isinstance(plain, str):
            assert plain == made
        else:
            # OpenSSL says nothing of a default file that it cannot open: such a context trusts
            # nobody, and never will.
            assert plain[0] == made[0]
            assert (plain[1] is None) == (made[1] == alpha.fingerprint)
        assert alpha.fingerprint == later

    def test_look(
        self, form: str, ground: Ground, server: TlsServer, client_files: ClientFiles, alpha: Leaf
    ) -> None:
        """Whoever looks at a context then is told, and sees everything afterwards."""
        during, later, seen = self._run(_LOOK, form, ground, server, client_files, alpha)
        assert (1 if form == "data" else "EMFILE") == during
        assert [1, alpha.fingerprint] == [later, seen]

    @staticmethod
    def _run(
        program: str,
        form: str,
        ground: Ground,
        server: TlsServer,
        files: ClientFiles,
        leaf: Leaf,
        **variables: str,
    ) -> list[object]:
        bundle = str(ground.file(ground.realm.authority.pem))
        environment = {**files.variables(usages={GOOD: leaf}), **variables}
        told: list[object] = run_client(
            program, str(server.port), bundle, form, environment=environment
        ).json()
        return told
