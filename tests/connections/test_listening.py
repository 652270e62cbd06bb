"""A connection listens for the request, and no longer than the server may still make one."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.base.genuine_ssl import NativeContext
from mxcert_runtime.contexts.handover import Listener, request_of
from tests.connections.candidates import Candidates, ContextMaker, connected
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

TlsServers = ServerFactory[TlsServer]
_COMPRESSED_CERTIFICATE = 25
TLS12, TLS13 = TlsVersion.TLS12, TlsVersion.TLS13


@pytest.fixture
def candidates(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> Candidates:
    """Two that the servers trust."""
    return Candidates(client_files, {"alpha": alpha, "beta": beta})


@pytest.fixture
def fresh(client_files: ClientFiles, authority: Authority, candidates: Candidates) -> Any:
    """A context with an explicit bundle that is younger than the activation."""
    candidates.activate()
    return ssl.create_default_context(cafile=str(client_files.authority(authority)))


def callback_of(connection: ssl.SSLSocket) -> Any:
    """The message callback that the connection has now, as CPython stores it."""
    inner: Any = connection._sslobj  # type: ignore[attr-defined]
    return NativeContext._msg_callback.__get__(inner.context)


def is_heard(connection: ssl.SSLSocket) -> bool:
    """Whether we listen to the connection."""
    return isinstance(callback_of(connection), Listener)


class TestEnd:
    def test_asked(
        self,
        tls_server: TlsServers,
        tls_version: TlsVersion,
        fresh: ssl.SSLContext,
        candidates: Candidates,
    ) -> None:
        """After a handshake that asked the connection has no message callback at all."""
        server = tls_server(version=tls_version)
        with connected(server.port, fresh) as connection:
            assert callback_of(connection) is None
        assert "alpha" == candidates.named(server.seen.wait_for(1)[0].fingerprint)

    def test_asked_in_vain(
        self,
        openssl_server: ServerFactory[OpensslServer],
        tls_version: TlsVersion,
        fresh: ssl.SSLContext,
        root_a: Authority,
    ) -> None:
        """So it is where nothing fitted."""
        server = openssl_server(version=tls_version, client_authorities=[root_a])
        with connected(server.port, fresh) as connection:
            assert [None] == server.presented.wait_for(1)
            assert callback_of(connection) is None

    def test_not_asked(
        self, tls_server: TlsServers, tls_version: TlsVersion, fresh: ssl.SSLContext
    ) -> None:
        """A server of TLS 1.2 that has not asked may renegotiate; one of TLS 1.3 may not."""
        server = tls_server(version=tls_version, demand=Demand.ASK_NOT)
        with connected(server.port, fresh) as connection:
            assert (tls_version is TLS12) == is_heard(connection)

    def test_may_ask_later(self, tls_server: TlsServers, fresh: ssl.SSLContext) -> None:
        """One of TLS 1.3 may, where the caller allows post-handshake authentication."""
        fresh.post_handshake_auth = True
        server = tls_server(version=TLS13, demand=Demand.ASK_NOT)
        with connected(server.port, fresh) as connection:
            assert is_heard(connection)

    def test_asked_though_it_may_later(self, tls_server: TlsServers, fresh: ssl.SSLContext) -> None:
        """Once it was asked, the identity is chosen and nobody listens."""
        fresh.post_handshake_auth = True
        server = tls_server(version=TLS13)
        with connected(server.port, fresh) as connection:
            assert callback_of(connection) is None

    def test_every_context_in_tls_1_3(
        self, tls_server: TlsServers, client_context: ContextMaker, candidates: Candidates
    ) -> None:
        """With TLS 1.3 this holds for older contexts and for default trust as well."""
        server = tls_server(version=TLS13)
        with connected(server.port, client_context(candidates.activate)) as connection:
            assert callback_of(connection) is None

    def test_nobody_waits(self, tls_server: TlsServers, fresh: ssl.SSLContext) -> None:
        """After the handshake nothing keeps OpenSSL's connection but the socket itself."""
        server = tls_server(version=TLS13)
        with connected(server.port, fresh) as connection:
            assert request_of(connection) is not None
            assert connection._sslobj not in vars(connection)["_mxcert_waiting"]

    def test_single_identity(
        self,
        tls_server: TlsServers,
        tls_version: TlsVersion,
        client_files: ClientFiles,
        authority: Authority,
        alpha: Leaf,
    ) -> None:
        """Where there is nothing to choose nobody listens from the beginning."""
        rule = client_files.identity("alpha", alpha, hosts=["localhost"])
        mxcert_runtime.activate(settings={"identity": [rule]})
        young = ssl.create_default_context(cafile=str(client_files.authority(authority)))
        server = tls_server(version=tls_version, demand=Demand.ASK_NOT)
        with connected(server.port, young) as connection:
            assert callback_of(connection) is None


class TestCallersCallback:
    def test_is_called_throughout(
        self,
        tls_server: TlsServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        candidates: Candidates,
    ) -> None:
        """The caller's own callback sees the same messages as without us."""
        server = tls_server(version=tls_version)
        expected = _messages(server.port, client_context(lambda: None))
        actual = _messages(server.port, client_context(candidates.activate))
        presented = [candidates.named(seen.fingerprint) for seen in server.seen.wait_for(2)]
        assert [None, "alpha"] == presented
        # What proves that the key is there is the one message more.
        assert expected == [each for each in actual if each != ("write", "CERTIFICATE_VERIFY")]

    def test_caller_sees_its_own(self, fresh: ssl.SSLContext) -> None:
        """The context answers with the callback that the caller set, and may lose it again."""
        context: Any = fresh

        def callback(*arguments: Any) -> None:
            """Does nothing."""

        context._msg_callback = callback
        assert callback is context._msg_callback
        context._msg_callback = None
        assert context._msg_callback is None

    @pytest.mark.parametrize("callback", [None, lambda *arguments: None], ids=["none", "one"])
    def test_set_before_the_handshake(
        self,
        tls_server: TlsServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        candidates: Candidates,
        callback: Any,
    ) -> None:
        """One that is set while a connection waits for its handshake costs it no identity."""
        server = tls_server(version=tls_version)
        context: Any = client_context(candidates.activate)
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain:
            connection = context.wrap_socket(
                plain, server_hostname="localhost", do_handshake_on_connect=False
            )
            context._msg_callback = callback
            with connection:
                connection.do_handshake()
                seen = server.seen.wait_for(1)
        assert callback is context._msg_callback
        assert ["alpha"] == [candidates.named(each.fingerprint) for each in seen]


def _messages(port: int, context: Any) -> list[tuple[str, str]]:
    messages: list[tuple[str, str]] = []

    def callback(
        connection: Any, direction: str, version: Any, content: Any, message: Any, data: bytes
    ) -> None:
        if getattr(content, "name", "") == "HANDSHAKE":
            # Python has no name yet for the message of RFC 8879, which OpenSSL 3.2 may send.
            name = "CERTIFICATE" if message == _COMPRESSED_CERTIFICATE else message.name
            messages.append((direction, name))

    context._msg_callback = callback
    with connected(port, context):
        return list(messages)


class TestAfterwards:
    def test_deactivated(
        self,
        tls_server: TlsServers,
        tls_version: TlsVersion,
        context: ssl.SSLContext,
        candidates: Candidates,
    ) -> None:
        """Deactivation takes the listener off a context that was older, and nothing is chosen."""
        candidates.activate()
        server = tls_server(version=tls_version)
        with connected(server.port, context):
            # Before the next, since with TLS 1.3 a client is done before its server is.
            server.seen.wait_for(1)
        mxcert_runtime.deactivate()
        assert NativeContext._msg_callback.__get__(context) is None
        with connected(server.port, context) as connection:
            assert callback_of(connection) is None
        seen = [candidates.named(each.fingerprint) for each in server.seen.wait_for(2)]
        assert ["alpha", None] == seen
