"""Handshakes that fail are counted by kind, and so are servers that close and say nothing."""

from __future__ import annotations

import contextlib
import socket
import ssl

import pytest

from mxcert_runtime import activate
from mxcert_runtime.monitoring import counters
from tests.diagnosis.abrupt_server import AbruptServer
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.server_tls import Demand, ServerTls, TlsVersion
from tests.support.tls_server import TlsServer


@pytest.fixture(autouse=True)
def fresh_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own counters stay as they are."""
    for name in ("_refusals", "_failures"):
        monkeypatch.setattr(counters, name, {})


@pytest.fixture(autouse=True)
def active(client_files: ClientFiles, alpha: Leaf) -> None:
    """One identity for localhost."""
    activate({"identity": [client_files.identity("alpha", alpha, hosts=["localhost"])]})


class _Silent(AbruptServer):
    """Reads the request and ends the connection: with TLS's word for it, or without any."""

    def _serve(self, plain: socket.socket) -> None:
        with self._context.wrap_socket(plain, server_side=True) as connection:
            request = connection.recv(65536)
            if request.startswith(b"answer"):
                connection.sendall(b"here it is")
            if request.endswith(b"close_notify"):
                with contextlib.suppress(OSError):
                    connection.unwrap()


@pytest.fixture
def silent(authority: Authority, client_authority: Authority, tls_version: TlsVersion) -> _Silent:
    """A server that takes the identity, and says nothing."""
    leaf = authority.issue("localhost", hosts=["localhost"])
    tls = ServerTls(leaf, (client_authority,), Demand.DEMAND, tls_version)
    return _Silent(tls)


def answer_to(port: int, context: ssl.SSLContext, request: bytes) -> bytes:
    """What comes back first."""
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    with plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(request)
        return connection.recv(100)


@pytest.mark.parametrize("request_", [b"close_notify", b"nothing at all"])
def test_a_server_that_ends_without_an_answer(
    request_: bytes, silent: _Silent, authority: Authority, tls_version: TlsVersion
) -> None:
    """In TLS 1.3 that may be a refusal, and counts; in TLS 1.2 it has taken the certificate."""
    with silent:
        assert b"" == answer_to(silent.port, plain_context(authority), request_)
    expected = {"closed-without-answer": 1} if tls_version is TlsVersion.TLS13 else {}
    assert expected == counters.failures()


@pytest.mark.parametrize("request_", [b"answer, close_notify", b"answer"])
def test_a_server_that_answers(request_: bytes, silent: _Silent, authority: Authority) -> None:
    """An end behind an answer is no failure."""
    with silent:
        assert b"here it is" == answer_to(silent.port, plain_context(authority), request_)
    assert {} == counters.failures()


def test_nothing_asked_for_is_no_end(silent: _Silent, authority: Authority) -> None:
    """A read of no bytes gives none, and the connection goes on."""
    context = plain_context(authority)
    with silent:
        plain = socket.create_connection(("127.0.0.1", silent.port), TIMEOUT)
        with plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
            assert b"" == connection.recv(0)
            assert 0 == connection.recv_into(bytearray(0))
            connection.sendall(b"answer")
            assert b"here it is" == connection.recv(100)
    assert {} == counters.failures()


@pytest.mark.parametrize(
    ("host", "kind", "reasons"),
    [
        ("refused", "certificate-refused", {"unknown_ca"}),
        ("unknown", "server-refused", set()),
    ],
)
def test_failures_by_kind(
    host: str,
    kind: str,
    reasons: set[str],
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    tls_version: TlsVersion,
) -> None:
    """Who refused whom; a server that is not trusted counts although no rule has a part in it."""
    other = Authority("Nobody's root")
    believed = [other] if host == "refused" else None
    server = tls_server(demand=Demand.DEMAND, version=tls_version, client_authorities=believed)
    trusted = authority if host == "refused" else other
    with pytest.raises(OSError, match=r"alert|certificate verify|reset|closed"):
        fetch(server.url(), plain_context(trusted))
    assert {kind: 1} == counters.failures()
    assert reasons <= set(counters.refusals())
