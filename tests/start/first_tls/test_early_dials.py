"""Sockets that are dialled before TLS is imported keep the host that they were dialled for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.start.first_tls.calls import assert_presented, run
from tests.support.client_files import ClientFiles
from tests.support.installation import Installations, make_environment
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

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

    done = run(installations, _DIALLED.format(dial=dial), {**environment, **rules})

    assert_presented(done, server, alpha.fingerprint)


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
