"""The other peers of the tests, openssl, nginx, mail servers and proxies, tell the truth too."""

from __future__ import annotations

import contextlib
import ftplib
import http.client
import imaplib
import os
import smtplib
import socket
import ssl
import threading

import pytest

from tests.support import subprocesses
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.mail_server import StartTlsServer
from tests.support.nginx import NginxAnswer, NginxServer, program
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch_all, fetch_text, plain_context, tls_to
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

TlsServers = ServerFactory[TlsServer]
MailServers = ServerFactory[StartTlsServer]


class TestOpensslServer:
    def _be_asked(self, server: OpensslServer, context: ssl.SSLContext) -> None:
        # The client answers the request while it reads.
        with tls_to(server.port, context) as connection:
            server.ask()
            received = threading.Thread(target=connection.recv, args=(100,))
            received.start()
            server.presented.wait_for(1)
            server.send("over")
            received.join(TIMEOUT)
            assert not received.is_alive()

    @pytest.mark.parametrize("with_certificate", [True, False])
    def test_asks_later(
        self,
        openssl_server: ServerFactory[OpensslServer],
        authority: Authority,
        alpha: Leaf,
        tls_version: TlsVersion,
        with_certificate: bool,
    ) -> None:
        """Nothing is presented in the first handshake, and the certificate when asked later."""
        leaf, expected = (alpha, alpha.fingerprint) if with_certificate else (None, None)
        server = openssl_server(version=tls_version, demand=Demand.LATER)
        context = plain_context(authority, leaf)
        context.post_handshake_auth = True
        self._be_asked(server, context)
        assert [expected] == server.presented

    @pytest.mark.parametrize("with_certificate", [True, False])
    def test_accepts(
        self,
        openssl_server: ServerFactory[OpensslServer],
        authority: Authority,
        gamma: Leaf,
        tls_version: TlsVersion,
        with_certificate: bool,
    ) -> None:
        """What comes in the first handshake is seen, with a chain and without anything."""
        leaf, expected = (gamma, gamma.fingerprint) if with_certificate else (None, None)
        server = openssl_server(version=tls_version)
        with tls_to(server.port, plain_context(authority, leaf)) as connection:
            server.presented.wait_for(1)
            connection.sendall(b"hello\n")
        assert [expected] == server.presented

    def test_refuses_none(
        self, openssl_server: ServerFactory[OpensslServer], authority: Authority
    ) -> None:
        """A server that demands refuses a client without."""
        server = openssl_server(version=TlsVersion.TLS12, demand=Demand.DEMAND)
        with pytest.raises(ssl.SSLError), tls_to(server.port, plain_context(authority)):
            pass

    def test_wrong_option(self, openssl_server: ServerFactory[OpensslServer]) -> None:
        """A server that cannot start says why instead of hanging."""
        with pytest.raises(AssertionError, match="does not start"):
            openssl_server(options=["-no-such-option"])


class TestNginx:
    def test_sees_certificate(
        self,
        nginx_server: ServerFactory[NginxServer],
        authority: Authority,
        alpha: Leaf,
        beta: Leaf,
        tls_version: TlsVersion,
    ) -> None:
        """The answer names the certificate that was presented, and no other."""
        server = nginx_server(version=tls_version, demand=Demand.DEMAND)
        answer = NginxAnswer.parse(fetch_text(server.url(), plain_context(authority, alpha)))
        assert (True, False) == (answer.shows(alpha), answer.shows(beta))
        assert ("SUCCESS", tls_version.value) == (answer.verify, answer.tls)
        assert "CN=alpha" in answer.subject

    def test_sees_none(
        self, nginx_server: ServerFactory[NginxServer], authority: Authority
    ) -> None:
        """Where it is optional, a client without a certificate is answered."""
        text = fetch_text(nginx_server().url(), plain_context(authority))
        assert ("", "", "NONE") == tuple(text.split("|")[:3])

    def test_refuses_none(
        self, nginx_server: ServerFactory[NginxServer], authority: Authority
    ) -> None:
        """Where it is demanded, nginx completes the handshake and answers 400."""
        server = nginx_server(demand=Demand.DEMAND)
        text = fetch_text(server.url(), plain_context(authority))
        assert "No required SSL certificate was sent" in text

    @pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another"
    )
    def test_runs_unprivileged(self, authority: Authority, client_authority: Authority) -> None:
        """nginx needs no privileges: it starts as nobody too."""
        program()
        script = """
            import os
            from tests.support.nginx import NginxServer
            from tests.support.pki import Authority
            from tests.support.server_tls import ServerTls
            "x".encode("idna")  # loads what nobody may not be able to read
            os.setgid(65534)
            os.setuid(65534)
            with NginxServer(ServerTls(Authority().issue("server"))) as server:
                print(server.port > 0 and '"up"')
        """
        assert "up" == subprocesses.run_client(script, host_patterns=()).json()


class TestMail:
    def test_smtp(
        self, smtp_server: MailServers, authority: Authority, alpha: Leaf, tls_version: TlsVersion
    ) -> None:
        """SMTP STARTTLS shows the certificate, and mail goes through."""
        server = smtp_server(version=tls_version)
        with smtplib.SMTP("localhost", server.port, timeout=TIMEOUT) as client:
            client.starttls(context=plain_context(authority, alpha))
            client.sendmail("a@a.test", ["b@b.test"], "Subject: x\r\n\r\nSTARTTLS\r\n")
        assert alpha.fingerprint == server.seen.wait_for(1)[0].fingerprint

    def test_smtp_with_none(self, smtp_server: MailServers, authority: Authority) -> None:
        """A client without a certificate is seen without."""
        server = smtp_server()
        with smtplib.SMTP("localhost", server.port, timeout=TIMEOUT) as client:
            client.starttls(context=plain_context(authority))
            client.noop()
        assert server.seen.wait_for(1)[0].fingerprint is None

    def test_smtp_refuses_none(self, smtp_server: MailServers, authority: Authority) -> None:
        """A server that demands one refuses a client without."""
        server = smtp_server(demand=Demand.DEMAND, version=TlsVersion.TLS12)
        with smtplib.SMTP("localhost", server.port, timeout=TIMEOUT) as client:
            with pytest.raises(ssl.SSLError):
                client.starttls(context=plain_context(authority))
            client.close()
        assert 1 == len(server.failures.wait_for(1))

    def test_imap(
        self, imap_server: MailServers, authority: Authority, alpha: Leaf, tls_version: TlsVersion
    ) -> None:
        """IMAP STARTTLS shows the certificate."""
        server = imap_server(version=tls_version)
        with imaplib.IMAP4("localhost", server.port) as client:
            client.starttls(plain_context(authority, alpha))
            client.login("user", "password")
        assert alpha.fingerprint == server.seen.wait_for(1)[0].fingerprint

    def test_ftp(self, ftp_server: MailServers, authority: Authority, alpha: Leaf) -> None:
        """FTP AUTH TLS shows the certificate."""
        server = ftp_server()
        client = ftplib.FTP_TLS(context=plain_context(authority, alpha), timeout=TIMEOUT)  # noqa: S321
        with client:
            client.connect("localhost", server.port)
            client.auth()
            client.quit()
        assert alpha.fingerprint == server.seen.wait_for(1)[0].fingerprint


class TestProxy:
    def test_plain(
        self,
        tls_server: TlsServers,
        plain_proxy: ConnectProxy,
        authority: Authority,
        alpha: Leaf,
        tls_version: TlsVersion,
    ) -> None:
        """A tunnel of plain text carries TLS to the host, and the proxy sees the host's name."""
        server = tls_server(hosts=["host.test"], version=tls_version)
        context = plain_context(authority, alpha)
        client = http.client.HTTPSConnection("127.0.0.1", plain_proxy.port, context=context)
        client.set_tunnel("host.test", server.port)
        (answer,) = fetch_all(client, "/")
        assert (alpha.fingerprint, "host.test") == (answer["fingerprint"], answer["sni"])
        assert [f"host.test:{server.port}"] == plain_proxy.tunnels

    def test_tls_in_tls(
        self,
        tls_server: TlsServers,
        tls_proxy: ServerFactory[ConnectProxy],
        authority: Authority,
        alpha: Leaf,
        beta: Leaf,
        tls_version: TlsVersion,
    ) -> None:
        """The proxy sees its own certificate, the host behind it the other."""
        server = tls_server(version=tls_version)
        proxy = tls_proxy(version=tls_version, demand=Demand.DEMAND)
        inner = plain_context(authority, alpha)
        with tls_to(proxy.port, plain_context(authority, beta)) as outer:
            outer.sendall(f"CONNECT localhost:{server.port} HTTP/1.1\r\n\r\n".encode("ascii"))
            assert outer.recv(1000).startswith(b"HTTP/1.1 200 ")
            _handshake_through(outer, inner)
        assert beta.fingerprint == proxy.seen.wait_for(1)[0].fingerprint
        assert alpha.fingerprint == server.seen.wait_for(1)[0].fingerprint

    def test_tls_refuses_none(
        self, tls_proxy: ServerFactory[ConnectProxy], authority: Authority
    ) -> None:
        """A proxy that demands a certificate refuses a client without."""
        proxy = tls_proxy(demand=Demand.DEMAND, version=TlsVersion.TLS12)
        with pytest.raises(ssl.SSLError), tls_to(proxy.port, plain_context(authority)):
            pass
        assert 1 == len(proxy.failures.wait_for(1))

    def test_unreachable(self, plain_proxy: ConnectProxy) -> None:
        """A host that nobody is on is the proxy's 502."""
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            client = http.client.HTTPSConnection("127.0.0.1", plain_proxy.port)
            client.set_tunnel("host.test", bound.getsockname()[1])
            with contextlib.closing(client), pytest.raises(OSError, match="502"):
                client.request("GET", "/")


def _handshake_through(outer: ssl.SSLSocket, context: ssl.SSLContext) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    inner = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            inner.do_handshake()
            outer.sendall(outgoing.read())
            return
        except ssl.SSLWantReadError:
            outer.sendall(outgoing.read())
            incoming.write(outer.recv(65536))
