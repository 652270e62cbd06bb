"""A server that asks only after the handshake gets what its request chooses then."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest

from tests.connections.candidates import Candidates, ContextMaker, connected
from tests.connections.test_listening import is_heard
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

OpensslServers = ServerFactory[OpensslServer]
TLS12, TLS13 = TlsVersion.TLS12, TlsVersion.TLS13


@pytest.fixture(scope="session")
def leaves(root_a: Authority, below_b: Authority) -> dict[str, Leaf]:
    """Two of different roots."""
    return {"a": root_a.issue("a", server=False), "b": below_b.issue("b", server=False)}


@pytest.fixture
def candidates(client_files: ClientFiles, leaves: dict[str, Leaf]) -> Candidates:
    return Candidates(client_files, leaves)


@pytest.fixture(params=[("a", "a"), ("b", "b"), ("stranger", None)], ids=lambda pair: pair[0])
def accepted(
    request: pytest.FixtureRequest, root_a: Authority, root_b: Authority
) -> tuple[Authority, str | None]:
    """The authority that the server names, and the identity below it."""
    authorities = {"a": root_a, "b": root_b, "stranger": Authority("Stranger")}
    name, expected = request.param
    return authorities[name], expected


def be_asked(server: OpensslServer, connection: ssl.SSLSocket) -> None:
    """Let the server ask, and answer while reading."""
    server.ask()
    server.send("over")
    received = b""
    while not received.endswith(b"\n"):
        piece = connection.recv(1000)
        assert piece, "the server closed"
        received += piece
    connection.sendall(b"answered\n")


def get(connection: ssl.SSLSocket, path: str) -> Any:
    """The JSON of the test server, over a connection that stays open."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"}"):
        piece = connection.recv(65536)
        assert piece, "the server closed"
        answer += piece
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def allowing(make: ContextMaker, candidates: Candidates) -> ssl.SSLContext:
    """A context that allows post-handshake authentication."""
    context = make(candidates.activate)
    context.post_handshake_auth = True
    return context


def test_renegotiation(
    openssl_server: OpensslServers,
    client_context: ContextMaker,
    candidates: Candidates,
    accepted: tuple[Authority, str | None],
) -> None:
    """TLS 1.2: a request in a renegotiation chooses, where the first handshake had none."""
    named, expected = accepted
    server = openssl_server(version=TLS12, demand=Demand.LATER, client_authorities=[named])
    with connected(server.port, client_context(candidates.activate)) as connection:
        be_asked(server, connection)
        presented = [candidates.named(each) for each in server.presented.wait_for(1)]
    assert [expected] == presented


def test_renegotiation_twice(
    openssl_server: OpensslServers,
    client_context: ContextMaker,
    candidates: Candidates,
    accepted: tuple[Authority, str | None],
) -> None:
    """TLS 1.2: renegotiations after a handshake that asked are as good, and change nothing."""
    named, expected = accepted
    server = openssl_server(version=TLS12, client_authorities=[named])
    with connected(server.port, client_context(candidates.activate)) as connection:
        be_asked(server, connection)
        be_asked(server, connection)
        # s_server asks once for each connection.
        presented = [candidates.named(each) for each in server.presented.wait_for(1)]
    assert [expected] == presented


def test_post_handshake(
    openssl_server: OpensslServers,
    client_context: ContextMaker,
    candidates: Candidates,
    accepted: tuple[Authority, str | None],
) -> None:
    """TLS 1.3: a post-handshake request chooses."""
    named, expected = accepted
    server = openssl_server(version=TLS13, demand=Demand.LATER, client_authorities=[named])
    with connected(server.port, allowing(client_context, candidates)) as connection:
        be_asked(server, connection)
        presented = [candidates.named(each) for each in server.presented.wait_for(1)]
    assert [expected] == presented


def test_post_handshake_of_python(
    tls_server: ServerFactory[TlsServer],
    client_context: ContextMaker,
    candidates: Candidates,
    root_a: Authority,
    root_b: Authority,
    leaves: dict[str, Leaf],
) -> None:
    """A server that names nobody gets the first of the settings, only once it asks."""
    trusted = [root_a, root_b]
    server = tls_server(version=TLS13, demand=Demand.LATER, client_authorities=trusted)
    with connected(server.port, allowing(client_context, candidates)) as connection:
        answers = [get(connection, path) for path in ("/", "/private", "/", "/private")]
        assert not is_heard(connection)
    first = leaves["a"].fingerprint
    assert [None, first, first, first] == [answer["fingerprint"] for answer in answers]
    assert [] == [answer for answer in answers if "error" in answer]


def test_not_allowed(
    tls_server: ServerFactory[TlsServer],
    client_context: ContextMaker,
    candidates: Candidates,
    root_a: Authority,
) -> None:
    """Where the caller does not allow it, the server cannot ask: we do not offer it either."""
    server = tls_server(version=TLS13, demand=Demand.LATER, client_authorities=[root_a])
    with connected(server.port, client_context(candidates.activate)) as connection:
        answer = get(connection, "/private")
    assert (None, "EXTENSION_NOT_RECEIVED") == (answer["fingerprint"], answer["error"])


def test_turned_off(
    openssl_server: OpensslServers,
    client_context: ContextMaker,
    candidates: Candidates,
    root_a: Authority,
    tls_version: TlsVersion,
) -> None:
    """With ``unlisted_hosts = "none"`` a later request gets nothing either."""
    server = openssl_server(version=tls_version, demand=Demand.LATER, client_authorities=[root_a])
    context = client_context(lambda: candidates.activate(unlisted_hosts="none"))
    context.post_handshake_auth = True
    with connected(server.port, context) as connection:
        be_asked(server, connection)
        assert [None] == server.presented.wait_for(1)
