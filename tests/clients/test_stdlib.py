"""The standard library's clients: each host gets its identity, and the others none."""

from __future__ import annotations

import contextlib
import ftplib
import http.client
import imaplib
import json
import poplib
import smtplib
import ssl
from typing import Any

import pytest

from tests.clients import calls
from tests.clients.calls import TIMEOUT, Call, name_of
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.hook_contract import HookContract
from tests.support.mail_server import Answer, Next, SmtpDialogue, StartTlsServer
from tests.support.pki import Leaf
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import ServerTls, TlsVersion

pytestmark = pytest.mark.versions_in_turns

MailServers = ServerFactory[StartTlsServer]
ALPHA_HOST, BETA_HOST, NOBODY = HOSTS
each_call = pytest.mark.parametrize("call", calls.STANDARD, ids=name_of)


@each_call
class TestContexts:
    def test_context_of_its_own(self, stage: Stage, call: Call) -> None:
        """A context for each call: two hosts see two identities, the third sees none."""
        stage.activate()
        answers = [
            call(url, ssl.create_default_context(cafile=stage.ca_file)) for url in stage.urls
        ]
        assert stage.expected == [answer["fingerprint"] for answer in answers]
        assert stage.expected == stage.seen

    def test_shared_context(self, stage: Stage, call: Call) -> None:
        """One context serves all hosts, in any order, and keeps no identity in between."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        hosts = [*HOSTS, *reversed(HOSTS), ALPHA_HOST, NOBODY, BETA_HOST]
        answers = [call(stage.url(host), context) for host in hosts]
        assert stage.expect(hosts) == [answer["fingerprint"] for answer in answers]

    def test_older_context(self, stage: Stage, call: Call, old_context: ssl.SSLContext) -> None:
        """A context that is older than the activation serves all hosts too."""
        stage.activate()
        answers = [call(url, old_context) for url in stage.urls]
        assert stage.expected == [answer["fingerprint"] for answer in answers]

    def test_plain_context(self, stage: Stage, call: Call) -> None:
        """A context that was made by hand is as good."""
        stage.activate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(stage.ca_file)
        answers = [call(url, context) for url in stage.urls]
        assert stage.expected == [answer["fingerprint"] for answer in answers]

    def test_own_certificate_wins(
        self, stage: Stage, call: Call, beta: Leaf, client_files: ClientFiles
    ) -> None:
        """A certificate that the caller loaded is presented to every host."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        context.load_cert_chain(*beta.write_pem(client_files.folder))
        answers = [call(url, context) for url in stage.urls]
        assert [beta.fingerprint] * 3 == [answer["fingerprint"] for answer in answers]

    def test_deactivated(self, stage: Stage, call: Call) -> None:
        """After deactivation the same context presents nothing."""
        import mxcert_runtime

        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        assert stage.fingerprints[ALPHA_HOST] == call(stage.url(ALPHA_HOST), context)["fingerprint"]
        mxcert_runtime.deactivate()
        assert call(stage.url(ALPHA_HOST), context)["fingerprint"] is None


class TestTunnel:
    def test_host_behind_the_proxy_counts(self, stage: Stage, plain_proxy: ConnectProxy) -> None:
        """Behind a CONNECT proxy the name of the host selects, not the proxy's."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        seen = [_get_through(plain_proxy, stage.url(host), context) for host in HOSTS]
        assert stage.expected == seen
        assert [f"{host}:{stage.server.port}" for host in HOSTS] == plain_proxy.tunnels

    def test_port_behind_the_proxy_counts(
        self,
        stage: Stage,
        plain_proxy: ConnectProxy,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
    ) -> None:
        """A rule with a port goes by the port behind the proxy; the proxy's own selects nothing."""
        behind, before = f"{ALPHA_HOST}:{stage.server.port}", f"{ALPHA_HOST}:{plain_proxy.port}"
        identities = [
            client_files.identity("alpha", alpha, hosts=[behind]),
            client_files.identity("beta", beta, hosts=[before]),
        ]
        stage.activate(identity=identities)
        context = ssl.create_default_context(cafile=stage.ca_file)
        assert alpha.fingerprint == _get_through(plain_proxy, stage.url(ALPHA_HOST), context)


def _get_through(proxy: ConnectProxy, url: str, context: ssl.SSLContext) -> Any:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", proxy.port, timeout=TIMEOUT, context=context
    )
    connection.set_tunnel(*calls.endpoint_of(url))
    with contextlib.closing(connection):
        connection.request("GET", "/")
        return json.load(connection.getresponse())["fingerprint"]


class _PopDialogue:
    """RFC 1939 and its STLS (RFC 2595)."""

    greeting = "+OK ready"

    def answer(self, line: str) -> Answer | None:
        verb = line.split(" ")[0].upper()
        if verb == "STLS":
            return Answer("+OK begin", Next.START_TLS)
        if verb == "CAPA":
            return Answer("+OK\r\nSTLS\r\n.")
        return Answer("+OK bye", Next.CLOSE) if verb == "QUIT" else Answer("+OK")


class TestStartTls:
    def test_smtp(self, stage: Stage, smtp_server: MailServers, tls_version: TlsVersion) -> None:
        """smtplib STARTTLS to two hosts: two identities, and none for the third."""
        server = smtp_server(hosts=HOSTS, version=tls_version)
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        for host in HOSTS:
            with smtplib.SMTP(host, server.port, timeout=TIMEOUT) as client:
                client.starttls(context=context)
                client.noop()
        assert stage.expected == [seen.fingerprint for seen in server.seen.wait_for(3)]

    def test_imap(self, stage: Stage, imap_server: MailServers, tls_version: TlsVersion) -> None:
        """imaplib STARTTLS to two hosts: two identities, and none for the third."""
        server = imap_server(hosts=HOSTS, version=tls_version)
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        for host in HOSTS:
            with imaplib.IMAP4(host, server.port) as client:
                client.starttls(context)
                client.login("user", "password")
        assert stage.expected == [seen.fingerprint for seen in server.seen.wait_for(3)]

    def test_ftp(self, stage: Stage, ftp_server: MailServers, tls_version: TlsVersion) -> None:
        """ftplib AUTH TLS to two hosts: two identities, and none for the third."""
        server = ftp_server(hosts=HOSTS, version=tls_version)
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        for host in HOSTS:
            client = ftplib.FTP_TLS(context=context, timeout=TIMEOUT)  # noqa: S321
            with client:
                client.connect(host, server.port)
                client.auth()
        assert stage.expected == [seen.fingerprint for seen in server.seen.wait_for(3)]

    def test_pop(
        self, stage: Stage, server_stack: contextlib.ExitStack, tls_version: TlsVersion
    ) -> None:
        """poplib STLS to two hosts: two identities, and none for the third."""
        tls = stage.server.tls
        server = server_stack.enter_context(StartTlsServer(tls, _PopDialogue))
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        for host in HOSTS:
            client = poplib.POP3(host, server.port, timeout=TIMEOUT)
            client.stls(context)
            client.quit()
        assert stage.expected == [seen.fingerprint for seen in server.seen.wait_for(3)]
        assert tls_version is tls.version


class _ImplicitTlsServer(StartTlsServer):
    """Speaks TLS from the first byte on."""

    def _serve(self, plain: Any, number: int) -> None:
        connection = self._end.handshake(plain, number)
        if connection is not None:
            super()._serve(connection, number)
            connection.close()


class TestImplicitTls:
    @pytest.fixture
    def smtps(self, stage: Stage, server_stack: contextlib.ExitStack) -> StartTlsServer:
        """An SMTP server with TLS from the beginning."""
        tls: ServerTls = stage.server.tls
        return server_stack.enter_context(_ImplicitTlsServer(tls, SmtpDialogue))

    def test_smtp(self, stage: Stage, smtps: StartTlsServer) -> None:
        """smtplib.SMTP_SSL to two hosts: two identities, and none for the third."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        for host in HOSTS:
            with smtplib.SMTP_SSL(host, smtps.port, timeout=TIMEOUT, context=context) as client:
                client.noop()
        assert stage.expected == [seen.fingerprint for seen in smtps.seen.wait_for(3)]

    def test_pop(self, stage: Stage, server_stack: contextlib.ExitStack) -> None:
        """poplib.POP3_SSL to two hosts: two identities, and none for the third."""
        server = server_stack.enter_context(_ImplicitTlsServer(stage.server.tls, _PopDialogue))
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        for host in HOSTS:
            client = poplib.POP3_SSL(host, server.port, timeout=TIMEOUT, context=context)
            client.quit()
        assert stage.expected == [seen.fingerprint for seen in server.seen.wait_for(3)]


class TestContextsShow:
    def test_socket_shows_the_callers(self, stage: Stage) -> None:
        """``SSLSocket.context`` and ``SSLObject.context`` answer with the caller's own context."""
        import socket

        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        plain = socket.create_connection(calls.endpoint_of(stage.url(ALPHA_HOST)))
        with plain, context.wrap_socket(plain, server_hostname=ALPHA_HOST) as connection:
            assert connection.context is context
        held = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=ALPHA_HOST)
        assert held.context is context


class TestSslContract(HookContract):
    targets = (
        "ssl:create_default_context",
        "ssl:_create_default_https_context",
        "ssl:SSLContext.__new__",
        "ssl:SSLContext.load_verify_locations",
        "ssl:SSLContext.set_default_verify_paths",
        "ssl:SSLContext.set_ciphers",
        "ssl:SSLContext.load_cert_chain",
        "ssl:SSLContext._wrap_socket",
        "ssl:SSLContext._wrap_bio",
        "ssl:SSLContext.get_ca_certs",
        "ssl:SSLContext.cert_store_stats",
        "ssl:SSLSocket.do_handshake",
        "ssl:SSLObject.do_handshake",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import json
        import ssl
        import urllib.request

        context = ssl.create_default_context(cafile=ca_file)
        assert context.cert_store_stats()["x509"] == len(context.get_ca_certs())
        with urllib.request.urlopen(url, context=context) as response:  # noqa: S310
            return json.load(response)


class TestHttpClientContract(HookContract):
    targets = (
        "http.client:HTTPSConnection.connect",
        "http.client:HTTPSConnection.putrequest",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import http.client
        import json
        import ssl
        from urllib.parse import urlsplit

        context = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=context)
        try:
            connection.request("GET", "/")
            return json.load(connection.getresponse())
        finally:
            connection.close()


class TestProperties:
    @pytest.mark.parametrize("name", ["session", "context"])
    def test_undo_restores(self, stage: Stage, name: str) -> None:
        """The properties of connections are the very same again after deactivation."""
        import mxcert_runtime

        before = vars(ssl.SSLObject)[name]
        stage.activate()
        assert before is not vars(ssl.SSLObject)[name]
        mxcert_runtime.deactivate()
        assert before is vars(ssl.SSLObject)[name]
