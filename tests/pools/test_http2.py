"""HTTP/2 sends many requests over one connection at once: those of one decision only."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

pytest.importorskip("h2")

import httpx

from tests.pools.clients import scope
from tests.pools.h2_server import Http2Server
from tests.support.event_loop import event_loop
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority
from tests.support.proxy import ConnectProxy
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_SERVICE, HOSTS, NO_SERVICE, Scene

SERVICES = (ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE, None)


@pytest.fixture
def server(
    server_stack: ExitStack, authority: Authority, client_authority: Authority
) -> Http2Server:
    """A server under the names of HOSTS."""
    make = ServerFactory(Http2Server, server_stack, authority, client_authority)
    return make(hosts=HOSTS, alpn=["h2"])


@pytest.fixture
def expected(scene: Scene) -> dict[str | None, str | None]:
    """What each of SERVICES is to see."""
    leaves = {ALPHA_SERVICE: scene.alpha.fingerprint, BETA_SERVICE: scene.beta.fingerprint}
    return {service: leaves.get(service or "") for service in SERVICES}


def _options(scene: Scene) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=scene.ca_file)
    return {"verify": context, "http2": True, "timeout": TIMEOUT}


@pytest.fixture
def client(scene: Scene) -> Iterator[httpx.Client]:
    """A client that speaks HTTP/2."""
    with httpx.Client(**_options(scene)) as client:
        yield client


def test_services_in_turn(
    client: httpx.Client, server: Http2Server, scene: Scene, expected: dict[Any, Any]
) -> None:
    """Two services, one that gets none and code without one: three connections in all."""
    scene.activate_services()
    for service in SERVICES * 3:
        with scope(service):
            response = client.get(server.url(ALPHA_HOST))
        assert ("HTTP/2", expected[service]) == (
            response.http_version,
            response.json()["fingerprint"],
        )
    assert 3 == server.connections


def test_services_at_once(server: Http2Server, scene: Scene, expected: dict[Any, Any]) -> None:
    """Forty tasks at once on one client: none is sent over another one's connection."""
    scene.activate_services()
    client = httpx.AsyncClient(**_options(scene))

    async def ask(service: str | None) -> bool:
        with scope(service):
            answer = (await client.get(server.url(ALPHA_HOST))).json()
        return bool(expected[service] == answer["fingerprint"])

    async def ask_all() -> list[bool]:
        return await asyncio.gather(*(ask(service) for service in SERVICES * 10))

    with event_loop(client.aclose) as run:
        assert {True: 40} == Counter(run(ask_all()))
        before = server.connections
        assert {True: 40} == Counter(run(ask_all()))
    assert before == server.connections


def test_through_a_proxy(
    server: Http2Server, scene: Scene, expected: dict[Any, Any], plain_proxy: ConnectProxy
) -> None:
    """The same in the tunnels of a proxy."""
    scene.activate_services()
    with httpx.Client(**_options(scene), proxy=plain_proxy.url()) as client:
        for service in SERVICES * 2:
            with scope(service):
                answer = client.get(server.url(ALPHA_HOST)).json()
            assert expected[service] == answer["fingerprint"]
    assert 3 == plain_proxy.connections


def test_another_identity(client: httpx.Client, server: Http2Server, scene: Scene) -> None:
    """After an activation with another identity the connection is not used, else it is."""
    seen = []
    for leaf in (scene.alpha, scene.alpha, scene.beta):
        scene.activate_file(leaf)
        seen.append(client.get(server.url(ALPHA_HOST)).json()["fingerprint"])
    assert [scene.alpha.fingerprint] * 2 + [scene.beta.fingerprint] == seen
    assert 2 == server.connections


def test_twin_without_us(client: httpx.Client, server: Http2Server) -> None:
    """The twin: without settings all go over one connection, which presents nothing."""
    seen = []
    for service in SERVICES:
        with scope(service):
            seen.append(client.get(server.url(ALPHA_HOST)).json()["fingerprint"])
    assert [None] * 4 == seen
    assert 1 == server.connections
