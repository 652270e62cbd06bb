"""Servers that the client does not verify: what ``require_verified_server`` keeps from them.

Both engines, over real handshakes; what is judged is what the server saw.
"""

from __future__ import annotations

import json
import socket
import ssl
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from OpenSSL import SSL

import mxcert_runtime
from tests.clients.openssl_calls import get_from, trusting
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

#: asks a URL with the trust of a CA file, and verifies or not; what the server saw of the client
Ask = Callable[[str, str, bool], Any]


def _by_ssl(url: str, ca_file: str, verifies: bool) -> Any:
    context = ssl.create_default_context(cafile=ca_file)
    if not verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with urllib.request.urlopen(url, context=context) as answer:  # noqa: S310 - an https URL
        return json.load(answer)["fingerprint"]


def _by_context(url: str, ca_file: str, verifies: bool) -> Any:
    context = trusting(ca_file)
    context.set_verify(SSL.VERIFY_PEER if verifies else SSL.VERIFY_NONE)
    with _dial(url) as plain:
        return _over(SSL.Connection(context, plain), url)


def _by_connection(url: str, ca_file: str, verifies: bool) -> Any:
    """The Connection says otherwise than its Context, and counts."""
    context = trusting(ca_file)
    context.set_verify(SSL.VERIFY_NONE if verifies else SSL.VERIFY_PEER)
    with _dial(url) as plain:
        connection = SSL.Connection(context, plain)
        connection.set_verify(SSL.VERIFY_PEER if verifies else SSL.VERIFY_NONE)
        return _over(connection, url)


def _by_callback(url: str, ca_file: str, verifies: bool) -> Any:
    """A callback that accepts whatever comes, where the server is of nobody that is trusted."""
    context = trusting(ca_file) if verifies else SSL.Context(SSL.TLS_CLIENT_METHOD)
    if not verifies:
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    with _dial(url) as plain:
        return _over(SSL.Connection(context, plain), url)


def _dial(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(url).port or 0))


def _over(connection: Any, url: str) -> Any:
    connection.set_tlsext_host_name((urlsplit(url).hostname or "").encode("ascii"))
    connection.set_connect_state()
    return get_from(connection, url)["fingerprint"]


@pytest.fixture(params=[_by_ssl, _by_context, _by_connection])
def ask(request: pytest.FixtureRequest) -> Ask:
    asked: Ask = request.param
    return asked


class _Stage:
    """One server with a rule that pins its CA, one that does not, and one without a rule."""

    def __init__(self, server: TlsServer, ca_file: str, settings: dict[str, Any]) -> None:
        self.urls = [server.url(host) for host in ("pinned.test", "plain.test", "unlisted.test")]
        self.ca_file = ca_file
        self._settings = settings

    def seen(self, ask: Ask, *, verifies: bool, **settings: Any) -> list[str | None]:
        """What each URL shows."""
        mxcert_runtime.activate(settings={**self._settings, **settings})
        return [ask(url, self.ca_file, verifies) for url in self.urls]


@pytest.fixture
def stage(
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    loopback_names: Any,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> _Stage:
    entries = [
        client_files.identity("alpha", alpha, hosts=["pinned.test"], authorities=[authority]),
        client_files.identity("beta", beta, hosts=["plain.test"]),
    ]
    hosts = ["pinned.test", "plain.test", "unlisted.test"]
    ca_file = str(client_files.authority(authority))
    return _Stage(tls_server(hosts=hosts, version=tls_version), ca_file, {"identity": entries})


def test_pinned(stage: _Stage, ask: Ask, alpha: Leaf, beta: Leaf) -> None:
    """Without the setting, identities of rules that pin CAs go to verified servers only."""
    assert [None, beta.fingerprint, alpha.fingerprint] == stage.seen(ask, verifies=False)


def test_all(stage: _Stage, ask: Ask) -> None:
    """With ``all`` no identity goes to a server that is not verified."""
    settings = {"require_verified_server": "all"}
    assert [None, None, None] == stage.seen(ask, verifies=False, **settings)


def test_off(stage: _Stage, ask: Ask, alpha: Leaf, beta: Leaf) -> None:
    """With ``off`` each goes to whoever answers, as the program has chosen."""
    expected = [alpha.fingerprint, beta.fingerprint, alpha.fingerprint]
    settings = {"require_verified_server": "off"}
    assert expected == stage.seen(ask, verifies=False, **settings)


@pytest.mark.parametrize("value", ["pinned", "all", "off"])
def test_verified(stage: _Stage, ask: Ask, alpha: Leaf, beta: Leaf, value: str) -> None:
    """Whatever it says, a server that is verified has what the rules give."""
    expected = [alpha.fingerprint, beta.fingerprint, alpha.fingerprint]
    settings = {"require_verified_server": value}
    assert expected == stage.seen(ask, verifies=True, **settings)


def test_said_once(stage: _Stage, caplog: pytest.LogCaptureFixture) -> None:
    """One warning for each peer names the setting, and what else to do."""
    for _ in range(2):
        stage.seen(_by_ssl, verifies=False)
    told = [each.getMessage() for each in caplog.records if "does not verify" in each.getMessage()]
    assert 1 == len(told)
    assert told[0].startswith("a connection to pinned.test")
    assert "MXCERT_REQUIRE_VERIFIED_SERVER=off" in told[0]


def test_callback_and_pinned(
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    loopback_names: Any,
    authority: Authority,
    alpha: Leaf,
) -> None:
    """A callback that accepts a server whose CA the rule does not pin gets it no identity."""
    other = Authority("Other root")
    right = tls_server(hosts=["pinned.test"], version=tls_version)
    wrong = tls_server(leaf=other.issue("server", hosts=["pinned.test"]), version=tls_version)
    entry = client_files.identity("alpha", alpha, hosts=["pinned.test"], authorities=[authority])
    mxcert_runtime.activate(settings={"identity": [entry]})
    urls = [each.url("pinned.test") for each in (right, wrong)]
    assert [alpha.fingerprint, None] == [_by_callback(url, "", verifies=False) for url in urls]


def test_callback_and_all(stage: _Stage) -> None:
    """With ``all`` nothing goes to a server that only a callback accepts, but what CAs pin."""
    settings = {"require_verified_server": "all"}
    shown = stage.seen(_by_callback, verifies=False, **settings)
    assert [None, None] == shown[1:]
