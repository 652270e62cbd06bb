"""The test servers tell the truth: proven with the standard library's own clients."""

from __future__ import annotations

import ast
import contextlib
import http.client
import json
import socket
import ssl
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.factories import ServerFactory
from tests.support.hook_contract import HookContract, source_of
from tests.support.listener import IPV4_AND_IPV6, TIMEOUT, Listener, Records
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, fetch_all, plain_context, tls_to
from tests.support.server_tls import Demand, ServerTls, TlsVersion
from tests.support.tls_server import TlsServer

TlsServers = ServerFactory[TlsServer]


class TestTlsServer:
    def test_sees_certificate(
        self, tls_server: TlsServers, authority: Authority, alpha: Leaf, tls_version: TlsVersion
    ) -> None:
        """A client with a certificate is seen with it."""
        server = tls_server(version=tls_version, demand=Demand.DEMAND)
        answer = fetch(server.url(path="/x"), plain_context(authority, alpha))
        expected = (alpha.fingerprint, alpha.subject, tls_version.value, "localhost", "/x")
        assert expected == tuple(
            answer[key] for key in ("fingerprint", "subject", "tls", "sni", "path")
        )
        assert f"localhost:{server.port}" == answer["host"]
        assert [answer] == server.answers
        assert [alpha.fingerprint] == [seen.fingerprint for seen in server.seen]

    def test_sees_none(
        self, tls_server: TlsServers, authority: Authority, tls_version: TlsVersion
    ) -> None:
        """A client without a certificate is seen without, where the server only accepts one."""
        answer = fetch(tls_server(version=tls_version).url(), plain_context(authority))
        assert (None, None) == (answer["fingerprint"], answer["subject"])

    def test_asks_not(self, tls_server: TlsServers, authority: Authority, alpha: Leaf) -> None:
        """A server that does not ask sees none."""
        answer = fetch(tls_server(demand=Demand.ASK_NOT).url(), plain_context(authority, alpha))
        assert answer["fingerprint"] is None

    def test_refuses_none(
        self, tls_server: TlsServers, authority: Authority, tls_version: TlsVersion
    ) -> None:
        """A server that demands a certificate ends the handshake of a client without."""
        server = tls_server(version=tls_version, demand=Demand.DEMAND)
        with pytest.raises(ssl.SSLError, match=r"(?i)alert"):
            fetch(server.url(), plain_context(authority))
        (failure,) = server.failures.wait_for(1)
        assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" == failure.reason
        assert not server.seen

    def test_refuses_stranger(self, tls_server: TlsServers, authority: Authority) -> None:
        """A certificate of another authority is refused, not merely unseen."""
        stranger = Authority("Other root").issue("stranger")
        server = tls_server(version=TlsVersion.TLS12)
        with pytest.raises(ssl.SSLError, match=r"(?i)unknown ca"):
            fetch(server.url(), plain_context(authority, stranger))
        assert "CERTIFICATE_VERIFY_FAILED" == server.failures.wait_for(1)[0].reason

    @pytest.mark.skipif(sys.version_info < (3, 10), reason="Python 3.9 cannot see the chain")
    def test_sees_chain(self, tls_server: TlsServers, authority: Authority, gamma: Leaf) -> None:
        """The leaf and its intermediate make a chain of two."""
        assert 2 == fetch(tls_server().url(), plain_context(authority, gamma))["chain_length"]

    def test_server_without_trust_is_refused(self, tls_server: TlsServers) -> None:
        """The server's certificate is a real one: without its root a client refuses it."""
        server = tls_server()
        with pytest.raises(ssl.SSLCertVerificationError):
            fetch(server.url(), plain_context(Authority("Other root")))
        assert 1 == len(server.failures.wait_for(1))

    def test_keep_alive(self, tls_server: TlsServers, authority: Authority, alpha: Leaf) -> None:
        """Requests share a connection until the client opens another."""
        server = tls_server()
        context = plain_context(authority, alpha)
        client = http.client.HTTPSConnection("localhost", server.port, context=context)
        with contextlib.closing(client):
            numbers = []
            for body in (None, b"content"):
                client.request("POST" if body else "GET", "/", body)
                numbers.append(json.loads(client.getresponse().read())["connection"])
        assert [1, 1] == numbers
        assert 2 == fetch(server.url(), context)["connection"]
        assert 2 == server.connections

    def test_resumption(
        self, tls_server: TlsServers, authority: Authority, alpha: Leaf, tls_version: TlsVersion
    ) -> None:
        """A session is resumed and keeps the certificate; without one it is a full handshake."""
        server = tls_server(version=tls_version)
        context = plain_context(authority, alpha)
        session = None
        for _ in range(2):
            with tls_to(server.port, context, session) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
                while connection.recv(4096):
                    session = connection.session
        assert session is not None
        assert [False, True] == [answer["resumed"] for answer in server.answers]
        assert [alpha.fingerprint] * 2 == [answer["fingerprint"] for answer in server.answers]

    def test_no_tickets(self, tls_server: TlsServers, authority: Authority) -> None:
        """A server without tickets gives no TLS 1.3 session that can be resumed."""
        server = tls_server(version=TlsVersion.TLS13, tickets=0)
        with tls_to(server.port, plain_context(authority)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            while connection.recv(4096):
                pass
            assert connection.session is None or not connection.session.has_ticket

    def test_leaf_by_name(self, tls_server: TlsServers, authority: Authority) -> None:
        """The client's server name chooses the certificate, and the client's one is still seen."""
        named = authority.issue("named", hosts=["named.test"])
        server = tls_server(leaves_by_name={"named.test": named})
        der = []
        for name in ("named.test", "localhost"):
            with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain:
                context = plain_context(authority)
                with context.wrap_socket(plain, server_hostname=name) as connection:
                    der.append(connection.getpeercert(binary_form=True))
        assert [True, False] == [each == named.der() for each in der]
        assert {"named.test", "localhost"} == {seen.sni for seen in server.seen.wait_for(2)}

    @pytest.mark.parametrize("version", [TlsVersion.TLS13, TlsVersion.BOTH])
    @pytest.mark.parametrize("name", ["localhost", "named.test"])
    def test_post_handshake(
        self,
        tls_server: TlsServers,
        authority: Authority,
        alpha: Leaf,
        version: TlsVersion,
        name: str,
    ) -> None:
        """The certificate is asked for on the private path only, under every server name."""
        named = authority.issue("named", hosts=["named.test"])
        leaves = {"named.test": named}
        server = tls_server(version=version, demand=Demand.LATER, leaves_by_name=leaves)
        context = plain_context(authority, alpha)
        context.post_handshake_auth = True
        with LoopbackNames():
            client = http.client.HTTPSConnection(name, server.port, context=context)
            answers = list(fetch_all(client, "/", "/private", "/"))
        fingerprints = [None, alpha.fingerprint, alpha.fingerprint]
        assert fingerprints == [answer["fingerprint"] for answer in answers]

    def test_post_handshake_with_none(self, tls_server: TlsServers, authority: Authority) -> None:
        """A client that has no certificate answers with none."""
        server = tls_server(version=TlsVersion.TLS13, demand=Demand.LATER)
        context = plain_context(authority)
        context.post_handshake_auth = True
        answer = fetch(server.url(path="/private"), context)
        assert (None, False) == (answer["fingerprint"], "error" in answer)

    def test_post_handshake_not_offered(
        self, tls_server: TlsServers, authority: Authority, alpha: Leaf
    ) -> None:
        """A client that does not offer post-handshake authentication cannot be asked."""
        server = tls_server(version=TlsVersion.TLS13, demand=Demand.LATER)
        answer = fetch(server.url(path="/private"), plain_context(authority, alpha))
        assert (None, "EXTENSION_NOT_RECEIVED") == (answer["fingerprint"], answer["error"])

    def test_redirect(self, tls_server: TlsServers, authority: Authority) -> None:
        """The redirect path answers with the place that it was given."""
        server = tls_server()
        context = plain_context(authority)
        client = http.client.HTTPSConnection("localhost", server.port, context=context)
        with contextlib.closing(client):
            client.request("GET", "/redirect?to=https%3A%2F%2Fother.test%3A1%2F")
            response = client.getresponse()
            response.read()
        assert (307, "https://other.test:1/") == (response.status, response.headers["Location"])

    def test_both_families(self, tls_server: TlsServers, authority: Authority) -> None:
        """One port answers on IPv4 and on IPv6."""
        server = tls_server(addresses=IPV4_AND_IPV6)
        for host in ("127.0.0.1", "::1"):
            assert fetch(server.url(host), plain_context(authority))["sni"] in (None, host)

    def test_ciphers(self, tls_server: TlsServers, authority: Authority) -> None:
        """The server speaks the cipher that it was given."""
        name = "ECDHE-ECDSA-CHACHA20-POLY1305"
        server = tls_server(version=TlsVersion.TLS12, ciphers=name)
        with tls_to(server.port, plain_context(authority)) as connection:
            cipher = connection.cipher()
        assert cipher is not None
        assert name == cipher[0]

    def test_stops_with_open_connections(
        self, authority: Authority, client_authority: Authority
    ) -> None:
        """Stopping ends idle connections, with and without a handshake, and leaves no thread."""
        before = set(threading.enumerate())
        tls = ServerTls(authority.issue("server", hosts=["localhost"]))
        with contextlib.ExitStack() as stack:
            with TlsServer(tls) as server:
                silent = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                stack.enter_context(tls_to(server.port, plain_context(authority)))
                server.seen.wait_for(1)
            silent.settimeout(TIMEOUT)
            assert b"" == silent.recv(1)
        # Those of others may end meanwhile.
        assert set() == set(threading.enumerate()) - before

    def test_demand_needs_authority(self, authority: Authority) -> None:
        """A demand without trust is a mistake of the test."""
        tls = ServerTls(authority.issue("server"), demand=Demand.DEMAND)
        with pytest.raises(ValueError, match="needs client authorities"):
            TlsServer(tls)


def test_records_time_out() -> None:
    """Waiting for what does not come fails instead of hanging."""
    records: Records[int] = Records()
    with pytest.raises(AssertionError, match="waited for 1"):
        records.wait_for(1, timeout=0.01)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_faulty_server_ends_connection() -> None:
    """A fault of a server's own code ends the connection, so that no client waits."""

    def serve(connection: socket.socket, number: int) -> None:
        raise RuntimeError("broken")

    with Listener(serve) as listener:
        client = socket.create_connection(("127.0.0.1", listener.port), TIMEOUT)
        with client:
            assert b"" == client.recv(1)


def test_source_of_call() -> None:
    """A static method's source stands alone."""
    source = source_of(TestSslContract.call)
    assert source.startswith("def call(url: str, ca_file: str)")
    compile(source, "call", "exec")


class TestSslContract(HookContract):
    """The contract by the example of the standard library."""

    targets = ("ssl:SSLContext._wrap_socket", "ssl:SSLContext._wrap_bio")

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import json
        import ssl
        import urllib.request

        context = ssl.create_default_context(cafile=ca_file)
        with urllib.request.urlopen(url, context=context) as response:  # noqa: S310
            return json.load(response)


#: where a clock is data: what is tested there is given the time; and where another process is
#: waited for, of which nothing else tells
_CLOCKS_AS_DATA = {"test_expiry_watch.py", "test_pyopenssl_log.py", "test_told.py"}
_DEADLINES = {"test_prometheus_gunicorn.py"}


def test_no_test_looks_at_a_clock() -> None:
    """How long something takes is for the benchmarks: a busy machine must not fail a test."""
    tests = Path(__file__).parents[1]
    clocks = {"monotonic", "perf_counter", "process_time", "monotonic_ns", "perf_counter_ns"}
    named = {
        path.name
        for path in tests.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in clocks
    }
    assert _CLOCKS_AS_DATA | _DEADLINES == named
