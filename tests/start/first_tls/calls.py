"""A program that knows nothing of the plugin, and what the server tells that it presented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.support.installation import Installations
from tests.support.subprocesses import Finished
from tests.support.tls_server import TlsServer

BROKEN = {"ClientCertificates": "/nonexistent/client.p12"}

#: one connection, by nothing but `ssl` and `socket`
CALL = """\
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

#: the beginning of one, which tells in the list `told` who has come so far
CONNECT = """\
def connect(who):
    import ssl
    context = ssl.create_default_context()
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")
    told.append(who)
"""


def run(
    installations: Installations,
    text: str,
    environment: Mapping[str, str],
    options: Sequence[str] = (),
) -> Finished:
    """Run a text that may ``call()``, to its end."""
    installation = installations.wheel
    return installation.run(
        installation.python, *options, "-c", CALL + text, environment=environment
    )


def assert_presented(done: Finished, server: TlsServer, *expected: str | None) -> None:
    """It ended well, and these are the certificates that its connections presented."""
    assert (0, "") == (done.returncode, done.stderr)
    assert list(expected) == [each["fingerprint"] for each in server.answers]
