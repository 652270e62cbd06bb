"""Sockets that are dialled before TLS is imported keep the host that they were dialled for."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from mxcert_runtime.start.early_dials import EarlyDials
from tests.start.first_tls.calls import assert_presented, run
from tests.support.client_files import ClientFiles
from tests.support.installation import Installations, make_environment
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

_CONTEXT = """\
import ssl
context = ssl.create_default_context()
context.check_hostname = False
"""
#: by a client that names no host to TLS
_REQUEST = """\
with context.wrap_socket(plain) as connection:
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    while connection.recv(4096):
        pass
"""
_DIALLED = """\
import json, os, socket, sys
port = int(os.environ["TARGET_PORT"])
{dial}
assert "ssl" not in sys.modules
"""
_DIALLED += _CONTEXT + _REQUEST
_DIALLED += """\
import mxcert_runtime
mxcert_runtime.deactivate()
assert socket.create_connection.__code__.co_filename == socket.__file__
assert "connect" not in vars(socket.socket)
assert "_wrap_socket" not in vars(ssl.SSLContext)
"""
_DIALS = {
    "create_connection": "plain = socket.create_connection(('localhost', port))",
    "connect": "plain = socket.socket(); plain.connect(('localhost', port))",
    "connect_ex": "plain = socket.socket(); plain.connect_ex(('localhost', port))",
    "in a module that is loaded anew": """del sys.modules["socket"]; import socket
plain = socket.create_connection(('localhost', port))""",
    "after another that has no number": """class Numberless(socket.socket):
    def getsockopt(self, *_):
        raise OSError
Numberless().connect(('localhost', port))
plain = socket.create_connection(('localhost', port))""",
    "after another in a file": """import tempfile
os.chdir(tempfile.mkdtemp())
listens, other = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
listens.bind("s"); listens.listen(); other.connect("s")
plain = socket.create_connection(('localhost', port))""",
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

    done = run(installations, _DIALLED.format(dial=dial), {**environment, **rules})

    assert_presented(done, server, alpha.fingerprint)


def test_nothing_is_left() -> None:
    """All that stood in is gone at the end, however often it began; also where no hook comes."""
    before = socket.create_connection
    dials = EarlyDials(lambda: None)

    dials.begin()
    dials.begin()
    dials.hand_over()

    assert before is socket.create_connection
    assert [] == [name for name in vars(socket.socket) if name.startswith("connect")]


_TAKEN = """\
from socket import create_connection
import os
{dial}
"""
_TAKEN += _REQUEST
_DIAL = "plain = create_connection(('localhost', int(os.environ['TARGET_PORT'])))\n"
#: the other end of each dial is looked up while the plugin starts
_DIAL_MEANWHILE = f"""\
import socket, threading
looked_up, begun = socket.getaddrinfo, threading.Event()
def look_up(*args, **kwargs):
    begun.set()
    assert active.wait(60)
    return looked_up(*args, **kwargs)
socket.getaddrinfo, active, dialled = look_up, threading.Event(), []
def dial():
    {_DIAL}    dialled.append(plain)
thread = threading.Thread(target=dial)
thread.start()
assert begun.wait(60)
{_CONTEXT}active.set()
thread.join()
plain, = dialled
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are told apart on Linux")
@pytest.mark.parametrize(
    "dial", [_CONTEXT + _DIAL, _DIAL_MEANWHILE], ids=["begun after", "begun before"]
)
def test_a_dial_that_ends_when_the_plugin_is_there(
    installations: Installations,
    client_files: ClientFiles,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    dial: str,
) -> None:
    """It counts, by a function that was taken before too."""
    rules = client_files.variables(usages={"localhost": alpha})

    done = run(installations, _TAKEN.format(dial=dial), {**environment, **rules})

    assert_presented(done, server, alpha.fingerprint)


_UNDECIDED = """\
import os, select, socket
port = int(os.environ["TARGET_PORT"])
plain = socket.socket()
plain.setblocking(False)
{first}
assert select.select([], [plain], [], 20)[1]
plain.connect(("localhost", port))  # which tells how the first has ended
plain.setblocking(True)
"""
_UNDECIDED += _CONTEXT + _REQUEST
_FIRST = {
    "connect": """try:
    plain.connect(("127.0.0.1", port))
except BlockingIOError:
    pass""",
    "connect_ex": 'plain.connect_ex(("127.0.0.1", port))',
}


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are told apart on Linux")
@pytest.mark.parametrize("first", _FIRST.values(), ids=_FIRST)
def test_a_socket_that_is_on_its_way_elsewhere(
    installations: Installations,
    client_files: ClientFiles,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    first: str,
) -> None:
    """No identity goes to a host by the name of another that was dialled for the same socket."""
    rules = client_files.variables(usages={"localhost": alpha})

    done = run(installations, _UNDECIDED.format(first=first), {**environment, **rules})

    assert 0 == done.returncode
    assert "127.0.0.1" in done.stderr  # the warning that it names no host
    assert [None] == [each["fingerprint"] for each in server.answers]


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are told apart on Linux")
def test_a_socket_of_a_module_that_was_loaded_before(
    installations: Installations,
    client_files: ClientFiles,
    environment: dict[str, str],
    server: TlsServer,
    alpha: Leaf,
    tmp_path: Path,
) -> None:
    """The same where the program has `socket`, and not yet `ssl`, before the plugin waits."""
    program = make_environment(tmp_path / "environment")
    rules = client_files.variables(usages={"localhost": alpha})
    added = f"import site, socket\nsite.addsitedir({str(installations.wheel.packages)!r})\n"
    text = added + _DIALLED.format(dial=_DIALS["create_connection"])

    done = program.run(program.python, "-c", text, environment={**environment, **rules})

    assert_presented(done, server, alpha.fingerprint)
