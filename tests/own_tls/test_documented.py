"""The programs of docs/own-tls.md, with real servers: who is seen, who is not, who is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.errors import NoIdentityError
from tests.support.client_files import ClientFiles
from tests.support.listener import bind_loopback
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer

from .clients import CLIENTS, Client

#: as libldap knows loopback too
HOST = "127.0.0.1"


@pytest.fixture(params=CLIENTS, ids=str)
def client(request: pytest.FixtureRequest) -> Client:
    """Each that is installed."""
    found = request.param
    assert isinstance(found, Client)
    found.load()
    return found


@pytest.fixture
def start(request: pytest.FixtureRequest, client: Client) -> Callable[..., Any]:
    """Starts the server that the client speaks to."""
    factory: Callable[..., Any] = request.getfixturevalue(client.server)
    return factory


@pytest.fixture
def activate(client_files: ClientFiles, beta: Leaf) -> Callable[..., None]:
    """Two identities with rules: one leaf for some hosts, and ``beta`` for another host."""

    def activate(leaf: Leaf, hosts: list[str], pinned: Authority) -> None:
        entries = [
            client_files.identity("other", beta, hosts=["other.test"]),
            client_files.identity("own", leaf, hosts=hosts, authorities=[pinned]),
        ]
        mxcert_runtime.activate(settings={"identity": entries})

    return activate


def test_seen(
    client: Client,
    start: Callable[..., Any],
    activate: Callable[..., None],
    authority: Authority,
    gamma: Leaf,
) -> None:
    """The server sees the identity of the rule for this host and port, with its chain."""
    server = start()
    activate(gamma, [f"{HOST}:{server.port}"], authority)
    assert client.connects(client.load(), server, HOST, gamma)


def test_no_rule(
    client: Client, activate: Callable[..., None], authority: Authority, alpha: Leaf
) -> None:
    """A port without a rule gets nothing: the error says so before anything is dialled."""
    (listening,) = bind_loopback()
    with listening:
        port = listening.getsockname()[1]
        activate(alpha, [f"{HOST}:{port + 1}"], authority)
        function = client.load()
        user = ["anyone"] if "user" in inspect.signature(function).parameters else []
        with pytest.raises(NoIdentityError, match="has no rule"):
            function(HOST, port, *user)
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_another_authority(
    client: Client,
    start: Callable[..., Any],
    activate: Callable[..., None],
    alpha: Leaf,
) -> None:
    """The client refuses a server of another CA than the pinned ones, which gets no request."""
    server = start()
    activate(alpha, [HOST], Authority("another"))
    with pytest.raises(Exception, match=client.refusal):
        client.connects(client.load(), server, HOST, alpha)
    if isinstance(server, TlsServer):
        assert [] == server.answers
        if not client.verifies_late:
            server.failures.wait_for(1)
            assert [] == server.seen


def test_another_name(
    client: Client,
    start: Callable[..., Any],
    activate: Callable[..., None],
    authority: Authority,
    alpha: Leaf,
) -> None:
    """The client refuses a server whose certificate is for another name: it gets no request."""
    server = start(leaf=authority.issue("elsewhere", hosts=["elsewhere.test"]))
    activate(alpha, [HOST], authority)
    with pytest.raises(Exception, match=client.refusal):
        client.connects(client.load(), server, HOST, alpha)
    if isinstance(server, TlsServer):
        assert [] == server.answers
