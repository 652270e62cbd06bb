"""Clients that keep one connection of ``http.client``: no request goes out under another decision.

What is judged is what the server saw at each request.
"""

from __future__ import annotations

import http.client
import ssl
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.connections.kept import KeptConnectionError
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer

SERVICE = "Kept.Service"


@pytest.fixture
def settings(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> dict[str, Any]:
    entries = [
        client_files.identity("alpha", alpha, hosts=["localhost"]),
        client_files.identity("beta", beta, services=[SERVICE]),
    ]
    return {"identity": entries}


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer], settings: dict[str, Any]) -> TlsServer:
    """A server whose host has ``alpha`` by its rule, and ``beta`` for a service."""
    mxcert_runtime.activate(settings=settings)
    return tls_server()


@pytest.fixture
def context(client_files: ClientFiles, authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(client_files.authority(authority)))


@pytest.fixture
def kept(server: TlsServer, context: ssl.SSLContext) -> Iterator[http.client.HTTPSConnection]:
    """One connection, not open yet."""
    connection = http.client.HTTPSConnection("localhost", server.port, context=context)
    yield connection
    connection.close()


def _get(connection: http.client.HTTPSConnection, service: str | None = None) -> None:
    with nullcontext() if service is None else mxcert_runtime.service(service):
        connection.request("GET", "/")
        connection.getresponse().read()


def _shown(server: TlsServer) -> list[str | None]:
    return [answer["fingerprint"] for answer in server.answers]


class TestConnection:
    def test_each_service_its_own(
        self, kept: http.client.HTTPSConnection, server: TlsServer, alpha: Leaf, beta: Leaf
    ) -> None:
        """A request for another service goes out on a new connection, with its identity."""
        for service in (None, SERVICE, SERVICE, None):
            _get(kept, service)
        expected = [alpha, beta, beta, alpha]
        assert [leaf.fingerprint for leaf in expected] == _shown(server)
        assert 3 == server.connections

    def test_same_decision(
        self,
        kept: http.client.HTTPSConnection,
        server: TlsServer,
        settings: dict[str, Any],
        alpha: Leaf,
    ) -> None:
        """A service without a rule, and settings that are read again, change nothing."""
        _get(kept)
        _get(kept, "Unknown.Service")
        mxcert_runtime.activate(settings=settings)
        _get(kept)
        assert [alpha.fingerprint] * 3 == _shown(server)
        assert 1 == server.connections

    def test_other_settings(
        self,
        kept: http.client.HTTPSConnection,
        server: TlsServer,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
    ) -> None:
        """Settings that give the host another identity are followed by the next request."""
        _get(kept)
        entry = client_files.identity("beta", beta, hosts=["localhost"])
        mxcert_runtime.activate(settings={"identity": [entry]})
        _get(kept)
        assert [alpha.fingerprint, beta.fingerprint] == _shown(server)

    def test_without_plugin(self, kept: http.client.HTTPSConnection, server: TlsServer) -> None:
        """Its twin without settings keeps the connection, whatever the service."""
        mxcert_runtime.deactivate()
        for service in (None, SERVICE, None):
            _get(kept, service)
        assert [None] * 3 == _shown(server)
        assert 1 == server.connections

    def test_not_opened_by_itself(
        self, kept: http.client.HTTPSConnection, server: TlsServer, alpha: Leaf
    ) -> None:
        """A connection that its program opens itself is refused, and serves its own service on."""
        kept.auto_open = 0
        kept.connect()
        _get(kept)
        with pytest.raises(KeptConnectionError, match=r"localhost.*does not open by itself"):
            _get(kept, SERVICE)
        _get(kept)
        assert [alpha.fingerprint] * 2 == _shown(server)

    def test_unread_answer(
        self, kept: http.client.HTTPSConnection, server: TlsServer, alpha: Leaf
    ) -> None:
        """While an answer is still to be read, it is refused, and the answer stays whole."""
        kept.request("GET", "/")
        answer = kept.getresponse()
        with pytest.raises(KeptConnectionError, match="has not been read"):
            _get(kept, SERVICE)
        assert b"fingerprint" in answer.read()
        assert [alpha.fingerprint] == _shown(server)

    def test_request_under_way(self, kept: http.client.HTTPSConnection, server: TlsServer) -> None:
        """A request in the middle of another is refused by ``http.client`` in its own words."""
        kept.connect()
        kept.putrequest("GET", "/")
        with pytest.raises(http.client.CannotSendRequest):
            _get(kept, SERVICE)
        assert [] == _shown(server)


@contextmanager
def _xmlrpc(url: str, context: ssl.SSLContext, ca_file: str) -> Iterator[Callable[[], Any]]:
    with xmlrpc.client.ServerProxy(url, context=context) as proxy:

        def call() -> None:
            # The server answers in JSON, after it has seen who asks.
            with pytest.raises(Exception, match="not well-formed"):
                proxy.system.listMethods()

        yield call


@contextmanager
def _httplib2(url: str, context: ssl.SSLContext, ca_file: str) -> Iterator[Callable[[], Any]]:
    httplib2 = pytest.importorskip("httplib2")
    client = httplib2.Http(ca_certs=ca_file)
    yield lambda: client.request(url)
    client.close()


@pytest.mark.parametrize("library", [_xmlrpc, _httplib2])
def test_inside_a_library(
    server: TlsServer,
    context: ssl.SSLContext,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
    library: Any,
) -> None:
    """What a library keeps follows the service of the code that calls it."""
    with library(server.url("localhost"), context, str(client_files.authority(authority))) as call:
        call()
        with mxcert_runtime.service(SERVICE):
            call()
            call()
        call()
    expected = [alpha, beta, beta, alpha]
    assert [leaf.fingerprint for leaf in expected] == _shown(server)
