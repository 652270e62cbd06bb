"""pyOpenSSL: the issuers that a server names choose; it does not tell the signature algorithms."""

from __future__ import annotations

import logging
import socket
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("OpenSSL")

from OpenSSL import SSL

import mxcert_runtime
from tests.clients import openssl_calls
from tests.clients.openssl_calls import OpensslCall, trusting
from tests.connections.candidates import Candidates
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.nginx import NginxAnswer, NginxServer
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

OpensslServers = ServerFactory[OpensslServer]
CALLS = (
    openssl_calls.over_socket,
    openssl_calls.over_socket_named_late,
    openssl_calls.over_memory,
    openssl_calls.over_memory_named_at_handshake,
)
each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)


@pytest.fixture(scope="session")
def leaves(root_a: Authority, below_b: Authority, root_c: Authority) -> dict[str, Leaf]:
    """One below each root."""
    return {
        "a": root_a.issue("a", server=False),
        "b": below_b.issue("b", server=False),
        "c": root_c.issue("c", server=False),
    }


@pytest.fixture
def ca_file(client_files: ClientFiles, authority: Authority) -> str:
    """What clients trust."""
    return str(client_files.authority(authority))


@contextmanager
def connected(port: int, context: Any) -> Iterator[Any]:
    """A connection after its handshake."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain:
        plain.settimeout(None)
        connection = SSL.Connection(context, plain)
        connection.set_tlsext_host_name(b"localhost")
        connection.set_connect_state()
        connection.do_handshake()
        yield connection


def presented_to(server: OpensslServer, context: Any, candidates: Candidates) -> str | None:
    """The name of what one connection presents."""
    before = len(server.presented)
    with connected(server.port, context):
        return candidates.named(server.presented.wait_for(before + 1)[before])


@pytest.mark.parametrize("is_older", [True, False], ids=["old", "new"])
class TestIssuers:
    @pytest.mark.parametrize("expected", ["a", "b", "c", None])
    def test_choose(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        candidates: Candidates,
        ca_file: str,
        root_a: Authority,
        root_b: Authority,
        root_c: Authority,
        is_older: bool,
        expected: str | None,
    ) -> None:
        """Each root that a server names chooses, and a stranger nothing."""
        roots = {"a": root_a, "b": root_b, "c": root_c, None: Authority("Stranger")}
        server = openssl_server(version=tls_version, client_authorities=[roots[expected]])
        older = trusting(ca_file)
        candidates.activate()
        context = older if is_older else trusting(ca_file)
        assert expected == presented_to(server, context, candidates)

    @each_call
    def test_empty_list(
        self,
        tls_server: ServerFactory[TlsServer],
        tls_version: TlsVersion,
        candidates: Candidates,
        ca_file: str,
        root_a: Authority,
        root_b: Authority,
        call: OpensslCall,
        is_older: bool,
    ) -> None:
        """A server that names nobody gets the first of the settings, over every way."""
        server = tls_server(version=tls_version, client_authorities=[root_b, root_a])
        older = trusting(ca_file)
        candidates.activate()
        context = older if is_older else trusting(ca_file)
        assert "a" == candidates.named(call(server.url("localhost"), context)["fingerprint"])

    def test_turned_off(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        candidates: Candidates,
        ca_file: str,
        root_a: Authority,
        is_older: bool,
    ) -> None:
        """``unlisted_hosts = "none"`` presents nothing."""
        server = openssl_server(version=tls_version, client_authorities=[root_a])
        older = trusting(ca_file)
        candidates.activate(unlisted_hosts="none")
        context = older if is_older else trusting(ca_file)
        assert presented_to(server, context, candidates) is None

    @pytest.mark.parametrize("holder", ["context", "connection"])
    def test_own_certificate(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        candidates: Candidates,
        ca_file: str,
        root_a: Authority,
        root_b: Authority,
        is_older: bool,
        holder: str,
    ) -> None:
        """The caller's own certificate wins, on the context and on the connection."""
        own = root_a.issue("own", server=False)
        trusted = [root_a, root_b]
        server = openssl_server(version=tls_version, client_authorities=trusted)
        older = trusting(ca_file)
        candidates.activate()
        context = older if is_older else trusting(ca_file)
        if holder == "context":
            openssl_calls.give_certificate(context, own)
            assert own.fingerprint == presented_to(server, context, candidates)
            return
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain:
            plain.settimeout(None)
            connection = SSL.Connection(context, plain)
            connection.set_tlsext_host_name(b"localhost")
            connection.set_connect_state()
            openssl_calls.give_certificate(connection, own)
            connection.do_handshake()
            assert [own.fingerprint] == server.presented.wait_for(1)


def test_one_context_for_many_servers(
    openssl_server: OpensslServers,
    tls_version: TlsVersion,
    candidates: Candidates,
    ca_file: str,
    root_a: Authority,
    root_c: Authority,
) -> None:
    """One context serves servers that name different issuers, in turns."""
    authorities = [root_c, Authority("Stranger"), root_a]
    servers = [
        openssl_server(version=tls_version, client_authorities=[each]) for each in authorities
    ]
    candidates.activate()
    context = trusting(ca_file)
    presented = [presented_to(server, context, candidates) for server in [*servers, *servers]]
    assert ["c", None, "a"] * 2 == presented


@pytest.mark.parametrize("expected", ["a", "c"])
def test_nginx(
    nginx_server: ServerFactory[NginxServer],
    tls_version: TlsVersion,
    candidates: Candidates,
    ca_file: str,
    root_a: Authority,
    root_c: Authority,
    expected: str,
) -> None:
    """nginx gets the identity below the root that it trusts."""
    root = {"a": root_a, "c": root_c}[expected]
    server = nginx_server(version=tls_version, client_authorities=[root])
    candidates.activate()
    host = urllib.parse.urlsplit(server.url()).hostname
    with connected(server.port, trusting(ca_file)) as connection:
        connection.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        answer = b""
        while b"|" not in answer:
            answer += connection.recv(65536)
    parsed = NginxAnswer.parse(answer.partition(b"\r\n\r\n")[2].decode())
    assert parsed.shows(candidates.leaves[expected])


def test_debug_line(
    openssl_server: OpensslServers,
    tls_version: TlsVersion,
    candidates: Candidates,
    ca_file: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One debug line says what the server accepts, and why nothing fits."""
    server = openssl_server(version=tls_version, client_authorities=[Authority("Stranger")])
    candidates.activate()
    with caplog.at_level(logging.DEBUG, "mxcert_runtime"):
        assert presented_to(server, trusting(ca_file), candidates) is None
    lines = [each.getMessage() for each in caplog.records]
    (line,) = [line for line in lines if "asks for a certificate" in line]
    parts = ["localhost", "nothing", "CN=Stranger", "a: no issuer", "b: no issuer", "c: no issuer"]
    assert [] == [part for part in parts if part not in line]


@pytest.mark.parametrize("mode", ["one", "several", "pinned"])
def test_renegotiation(
    openssl_server: OpensslServers,
    client_files: ClientFiles,
    authority: Authority,
    leaves: dict[str, Leaf],
    ca_file: str,
    root_a: Authority,
    mode: str,
) -> None:
    """TLS 1.2: asked later, it presents, and the callbacks of the Context are called again."""
    server = openssl_server(
        version=TlsVersion.TLS12, demand=Demand.LATER, client_authorities=[root_a]
    )
    pinned = [authority] if mode == "pinned" else []
    hosts = [] if mode == "several" else ["localhost"]
    identities = [client_files.identity("a", leaves["a"], hosts=hosts, authorities=pinned)]
    if mode == "several":
        identities.insert(0, client_files.identity("c", leaves["c"]))
    mxcert_runtime.activate(settings={"identity": identities})
    seen: list[int] = []
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.load_verify_locations(ca_file)
    context.set_verify(SSL.VERIFY_PEER, lambda *arguments: bool(arguments[-1]))
    context.set_info_callback(lambda connection, where, code: seen.append(where))
    with connected(server.port, context) as connection:
        for _ in range(2):
            server.ask()
            server.send("over")
            received = b""
            while not received.endswith(b"\n"):
                received += connection.recv(1000)
            connection.sendall(b"answered\n")
            # s_server asks in the first only; its dump is to be read before it is asked again.
            assert [leaves["a"].fingerprint] == server.presented.wait_for(1)
    assert 3 == seen.count(SSL.SSL_CB_HANDSHAKE_START) == seen.count(SSL.SSL_CB_HANDSHAKE_DONE)
