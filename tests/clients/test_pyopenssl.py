"""pyOpenSSL used directly: sockets, memory BIOs, Twisted's way; by what the server saw."""

from __future__ import annotations

import socket
from typing import Any

import pytest

pytest.importorskip("OpenSSL")

from OpenSSL import SSL, crypto

from tests.clients import openssl_calls
from tests.clients.calls import endpoint_of
from tests.clients.openssl_calls import OpensslCall, trusting
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.hook_contract import HookContract
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.versions_in_turns

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS
TlsServers = ServerFactory[TlsServer]

NAMED = (
    openssl_calls.over_socket,
    openssl_calls.over_socket_named_late,
    openssl_calls.over_memory,
    openssl_calls.over_memory_named_at_handshake,
)
UNNAMED = (openssl_calls.by_connect, openssl_calls.over_connected_socket_without_name)
each_named = pytest.mark.parametrize("call", NAMED, ids=lambda call: call.__name__)
each_unnamed = pytest.mark.parametrize("call", UNNAMED, ids=lambda call: call.__name__)
each_call = pytest.mark.parametrize(
    "call", [*NAMED, openssl_calls.by_connect], ids=lambda call: call.__name__
)


def _seen(call: OpensslCall, url: str, context: Any) -> str | None:
    fingerprint: str | None = call(url, context)["fingerprint"]
    return fingerprint


class TestNamed:
    @each_named
    def test_shared_context(self, stage: Stage, call: OpensslCall) -> None:
        """One context, three hosts: each sees its own, again and again."""
        stage.activate()
        context = trusting(stage.ca_file)
        hosts = [*HOSTS, *reversed(HOSTS)]
        assert stage.expect(hosts) == [_seen(call, stage.url(host), context) for host in hosts]

    @each_named
    def test_older_context(self, stage: Stage, call: OpensslCall) -> None:
        """A context that is older than the activation serves all hosts."""
        context = trusting(stage.ca_file)
        stage.activate()
        assert stage.expected == [_seen(call, url, context) for url in stage.urls]

    @each_named
    def test_deactivated(self, stage: Stage, call: OpensslCall) -> None:
        """After deactivation the same context presents nothing."""
        import mxcert_runtime

        context = trusting(stage.ca_file)
        stage.activate()
        assert stage.fingerprints[ALPHA_HOST] == _seen(call, stage.url(ALPHA_HOST), context)
        mxcert_runtime.deactivate()
        assert _seen(call, stage.url(ALPHA_HOST), context) is None


class _Answering(socket.socket):
    """A socket of a program that answers whatever it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return name


def test_socket_that_has_every_attribute(stage: Stage) -> None:
    """What pyOpenSSL finds on the socket of a connection is none of the connection's notes."""
    stage.activate()
    with _Answering() as plain:
        plain.connect(("127.0.0.1", endpoint_of(stage.url(ALPHA_HOST))[1]))
        connection = SSL.Connection(trusting(stage.ca_file), plain)
        connection.set_tlsext_host_name(ALPHA_HOST.encode("ascii"))
        connection.set_connect_state()
        answer = openssl_calls.get_from(connection, stage.url(ALPHA_HOST))
    assert stage.fingerprints[ALPHA_HOST] == answer["fingerprint"]


class TestAddress:
    @each_unnamed
    def test_listed(
        self,
        stage: Stage,
        tls_server: TlsServers,
        client_files: ClientFiles,
        alpha: Leaf,
        tls_version: TlsVersion,
        call: OpensslCall,
    ) -> None:
        """Without SNI the address selects; without a rule for it there is none."""
        server = tls_server(version=tls_version)
        context = trusting(stage.ca_file)
        stage.activate()
        assert _seen(call, server.url("127.0.0.1"), context) is None
        rule = client_files.identity("alpha", alpha, hosts=["127.0.0.1"])
        stage.activate(identity=[rule])
        assert alpha.fingerprint == _seen(call, server.url("127.0.0.1"), context)

    @each_unnamed
    def test_port(
        self,
        stage: Stage,
        tls_server: TlsServers,
        client_files: ClientFiles,
        alpha: Leaf,
        tls_version: TlsVersion,
        call: OpensslCall,
    ) -> None:
        """A rule with a port goes by the port that is dialled."""
        server, other = tls_server(version=tls_version), tls_server(version=tls_version)
        rule = client_files.identity("alpha", alpha, hosts=[f"127.0.0.1:{server.port}"])
        stage.activate(identity=[rule])
        urls = [server.url("127.0.0.1"), other.url("127.0.0.1")]
        context = trusting(stage.ca_file)
        assert [alpha.fingerprint, None] == [_seen(call, url, context) for url in urls]


class TestIdentity:
    @each_named
    def test_chain_is_sent(
        self,
        stage: Stage,
        client_files: ClientFiles,
        gamma: Leaf,
        call: OpensslCall,
    ) -> None:
        """A server that trusts the root alone accepts a leaf under an intermediate."""
        rule = client_files.identity("gamma", gamma, hosts=[ALPHA_HOST])
        stage.activate(identity=[rule])
        answer = call(stage.url(ALPHA_HOST), trusting(stage.ca_file))
        assert gamma.fingerprint == answer["fingerprint"]
        assert answer["chain_length"] in (2, 3, None)

    @each_named
    def test_without_chain_it_is_refused(
        self, stage: Stage, client_authority: Authority, call: OpensslCall
    ) -> None:
        """The twin: the same kind of leaf without its intermediate is refused by the server."""
        leaf = client_authority.intermediate("Kept back").issue("lonely", server=False)
        context = trusting(stage.ca_file)
        openssl_calls.give_certificate(context, leaf)
        with pytest.raises((SSL.Error, OSError)):
            call(stage.url(ALPHA_HOST), context)
        assert [] == stage.seen

    @each_call
    def test_context_certificate_wins(self, stage: Stage, beta: Leaf, call: OpensslCall) -> None:
        """A certificate in the caller's context is presented to every host."""
        stage.activate(unlisted_hosts="offer", identity=stage.settings["identity"][:1])
        context = trusting(stage.ca_file)
        openssl_calls.give_certificate(context, beta)
        assert [beta.fingerprint] * 3 == [_seen(call, url, context) for url in stage.urls]

    @pytest.mark.parametrize("early", [True, False], ids=["before the name", "after the name"])
    def test_connection_certificate_wins(self, stage: Stage, beta: Leaf, early: bool) -> None:
        """A certificate that the caller gives to the connection is presented, whenever it comes."""
        stage.activate()
        host, port = ALPHA_HOST, stage.server.port
        with socket.create_connection((host, port)) as plain:
            connection = SSL.Connection(trusting(stage.ca_file), plain)
            if not early:
                connection.set_tlsext_host_name(host.encode("ascii"))
            openssl_calls.give_certificate(connection, beta)
            connection.set_tlsext_host_name(host.encode("ascii"))
            connection.set_connect_state()
            answer = openssl_calls.get_from(connection, stage.url(host))
        assert beta.fingerprint == answer["fingerprint"]


class TestTrust:
    @each_call
    def test_bad_authority(
        self,
        stage: Stage,
        client_files: ClientFiles,
        client_authority: Authority,
        call: OpensslCall,
    ) -> None:
        """A server of another authority is refused, with us as without."""
        context = trusting(str(client_files.authority(client_authority)))
        for identities in ([], stage.settings["identity"][:1]):
            stage.activate(unlisted_hosts="offer", identity=identities)
            with pytest.raises(SSL.Error) as refused:
                call(stage.url(ALPHA_HOST), context)
            assert "certificate verify failed" == refused.value.args[0][0][2]
        assert [] == stage.seen

    @each_named
    def test_loads_after_the_first_connection_count(
        self,
        stage: Stage,
        client_files: ClientFiles,
        authority: Authority,
        client_authority: Authority,
        call: OpensslCall,
    ) -> None:
        """Authorities that the caller adds to a used context are trusted from then on."""
        stage.activate()
        context = trusting(str(client_files.authority(client_authority)))
        with pytest.raises(SSL.Error):
            call(stage.url(ALPHA_HOST), context)
        # Its other loads are closed by now: pyOpenSSL lets nobody change a used context.
        context.get_cert_store().add_cert(crypto.X509.from_cryptography(authority.certificate))
        assert stage.expected == [_seen(call, url, context) for url in stage.urls]

    @each_named
    def test_pinned_cas_verify_alone(
        self,
        stage: Stage,
        client_files: ClientFiles,
        alpha: Leaf,
        authority: Authority,
        client_authority: Authority,
        call: OpensslCall,
    ) -> None:
        """`ca` of a rule replaces the caller's trust for its hosts, both ways, and for no other."""
        file = client_files.authority
        trusted, untrusted = trusting(stage.ca_file), trusting(str(file(client_authority)))

        def rule(*authorities: Authority) -> dict[str, Any]:
            host = [ALPHA_HOST]
            return client_files.identity("alpha", alpha, hosts=host, authorities=authorities)

        stage.activate(identity=[rule(authority)])
        assert alpha.fingerprint == _seen(call, stage.url(ALPHA_HOST), untrusted)
        with pytest.raises(SSL.Error):
            call(stage.url(NOBODY), untrusted)
        stage.activate(identity=[rule(client_authority)])
        with pytest.raises(SSL.Error):
            call(stage.url(ALPHA_HOST), trusted)
        assert _seen(call, stage.url(NOBODY), trusted) is None


class TestCallersContext:
    def test_get_context(self, stage: Stage) -> None:
        """``get_context`` answers with the caller's own."""
        stage.activate()
        context = trusting(stage.ca_file)
        connection = SSL.Connection(context, None)
        connection.set_tlsext_host_name(ALPHA_HOST.encode("ascii"))
        connection.set_connect_state()
        assert connection.get_context() is context

    def test_ciphers_are_kept(self, stage: Stage, tls_server: TlsServers) -> None:
        """A cipher list of the caller's holds for connections with an identity too."""
        cipher = "ECDHE-ECDSA-CHACHA20-POLY1305"
        stage.activate()
        context = trusting(stage.ca_file)
        context.set_cipher_list(cipher.encode("ascii"))
        for host in HOSTS:
            connection = SSL.Connection(context, None)
            connection.set_tlsext_host_name(host.encode("ascii"))
            connection.set_connect_state()
            offered = [name for name in connection.get_cipher_list() if name[:4] != "TLS_"]
            assert [cipher] == offered

    @each_named
    def test_ciphers_that_do_not_fit(
        self, stage: Stage, tls_server: TlsServers, call: OpensslCall
    ) -> None:
        """With a cipher list that the server does not have, the handshake fails."""
        ours, theirs = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
        server = tls_server(hosts=HOSTS, version=TlsVersion.TLS12, ciphers=theirs)
        stage.activate()
        for activated in (ours, theirs):
            context = trusting(stage.ca_file)
            context.set_cipher_list(activated.encode("ascii"))
            if activated == theirs:
                assert call(server.url(ALPHA_HOST), context)["tls"] == "TLSv1.2"
                continue
            with pytest.raises(SSL.Error):
                call(server.url(ALPHA_HOST), context)

    @each_named
    def test_versions_are_kept(
        self, stage: Stage, tls_server: TlsServers, call: OpensslCall
    ) -> None:
        """The caller's protocol version holds for connections with an identity."""
        server = tls_server(hosts=HOSTS)
        stage.activate()
        context = trusting(stage.ca_file)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        assert "TLSv1.2" == call(server.url(ALPHA_HOST), context)["tls"]

    def test_server_side_is_not_touched(self, stage: Stage, alpha: Leaf) -> None:
        """A server's connection keeps its own certificate."""
        stage.activate(unlisted_hosts="offer", identity=[stage.settings["identity"][1]])
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        openssl_calls.give_certificate(context, alpha)
        connection = SSL.Connection(context, None)
        connection.set_accept_state()
        presented = connection.get_certificate().to_cryptography()
        assert alpha.certificate == presented


class TestDemand:
    @each_named
    def test_server_that_demands(
        self, stage: Stage, tls_server: TlsServers, tls_version: TlsVersion, call: OpensslCall
    ) -> None:
        """A server that demands a certificate is reached by rule, and not without one."""
        server = tls_server(hosts=HOSTS, version=tls_version, demand=Demand.DEMAND)
        stage.activate()
        context = trusting(stage.ca_file)
        assert stage.fingerprints[ALPHA_HOST] == _seen(call, server.url(ALPHA_HOST), context)
        with pytest.raises((SSL.Error, OSError)):
            call(server.url(NOBODY), context)


class TestContract(HookContract):
    targets = (
        "OpenSSL.SSL:Connection.set_tlsext_host_name",
        "OpenSSL.SSL:Connection.set_connect_state",
        "OpenSSL.SSL:Connection.connect",
        "OpenSSL.SSL:Connection.use_certificate",
        "OpenSSL.SSL:Connection.use_privatekey",
        "OpenSSL.SSL:Context.__init__",
        "OpenSSL.SSL:Context.set_cipher_list",
        "OpenSSL.SSL:Context.set_default_verify_paths",
        "OpenSSL.SSL:Context.load_verify_locations",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        from tests.clients.openssl_calls import by_connect, over_socket, trusting

        call = by_connect if "127.0.0.1" in url else over_socket
        return call(url, trusting(ca_file))
