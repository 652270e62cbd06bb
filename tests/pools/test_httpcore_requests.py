"""Requests of httpcore itself, whose objects are the caller's: to keep, change and send again."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

import mxcert_runtime
from tests.pools.clients import scope
from tests.support.listener import TIMEOUT
from tests.support.proxy import ConnectProxy
from tests.support.scene import (
    ALPHA_HOST,
    ALPHA_SERVICE,
    BETA_HOST,
    BETA_SERVICE,
    NO_SERVICE,
    Scene,
)

SERVICES = (ALPHA_SERVICE, NO_SERVICE, BETA_SERVICE, NO_SERVICE, ALPHA_SERVICE)


def _context(scene: Scene) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=scene.ca_file)


@pytest.fixture
def pool(scene: Scene) -> Iterator[httpcore.ConnectionPool]:
    """A pool that trusts the server, with the services activated."""
    scene.activate_services()
    with httpcore.ConnectionPool(ssl_context=_context(scene)) as pool:
        yield pool


def _send(pool: Any, request: httpcore.Request, service: str | None = None) -> str | None:
    """What the server saw."""
    with scope(service):
        response = pool.handle_request(request)
    seen = json.loads(b"".join(response.iter_stream()))
    response.close()
    fingerprint: str | None = seen["fingerprint"]
    return fingerprint


def _expected(scene: Scene) -> list[str | None]:
    by_service = {ALPHA_SERVICE: scene.alpha.fingerprint, BETA_SERVICE: scene.beta.fingerprint}
    return [by_service.get(service) for service in SERVICES]


def _request(scene: Scene, host: str = ALPHA_HOST, **extensions: Any) -> httpcore.Request:
    url = httpcore.URL(scheme="https", host=host, port=scene.server.port, target="/")
    return httpcore.Request("GET", url, headers={"Host": host}, extensions=extensions)


class TestSentAgain:
    """A request is the caller's own, and stays as it is."""

    def test_for_many_services(self, pool: httpcore.ConnectionPool, scene: Scene) -> None:
        """A request that is sent again goes by the service of that moment, not of the first."""
        request = _request(scene)
        assert _expected(scene) == [_send(pool, request, service) for service in SERVICES]

    def test_url_for_many_services(self, pool: httpcore.ConnectionPool, scene: Scene) -> None:
        """Requests that share a URL do not share a decision, and the URL is not changed."""
        url = _request(scene).url
        before = vars(url).copy()
        requests = [httpcore.Request("GET", url, headers={"Host": ALPHA_HOST}) for _ in SERVICES]
        assert _expected(scene) == [_send(pool, *pair) for pair in zip(requests, SERVICES)]
        assert (httpcore.URL, before) == (type(url), vars(url))
        assert all(each.url is url for each in requests)

    def test_while_it_waits(self, scene: Scene) -> None:
        """A request that two tasks send, and the pool has no place for yet, goes by each task's."""
        scene.activate_services()
        seen = asyncio.run(_send_from_two_tasks(scene))
        assert [scene.alpha.fingerprint, scene.beta.fingerprint] == seen

    def test_to_another_host(self, pool: httpcore.ConnectionPool, scene: Scene) -> None:
        """Whoever gives a request's URL another host gets that host."""
        scene.activate_hosts()
        request = _request(scene)
        first = _send(pool, request)
        request.url.host = BETA_HOST.encode()
        assert [scene.alpha.fingerprint, scene.beta.fingerprint] == [first, _send(pool, request)]

    def test_after_deactivation(self, scene: Scene) -> None:
        """What was sent while nothing was in force leaves no connection for what is in force."""
        scene.activate_hosts()
        request = _request(scene)
        with httpcore.ConnectionPool(ssl_context=_context(scene)) as pool:
            assert scene.alpha.fingerprint == _send(pool, request)
        mxcert_runtime.deactivate()
        with httpcore.ConnectionPool(ssl_context=_context(scene)) as pool:
            assert _send(pool, request) is None
            scene.activate_hosts()
            assert scene.alpha.fingerprint == _send(pool, _request(scene))


async def _send_from_two_tasks(scene: Scene) -> list[str | None]:
    request = _request(scene)

    async def send(service: str) -> str | None:
        with scope(service):
            response = await pool.handle_async_request(request)
        seen = json.loads(b"".join([part async for part in response.aiter_stream()]))
        await response.aclose()
        fingerprint: str | None = seen["fingerprint"]
        return fingerprint

    context = _context(scene)
    async with httpcore.AsyncConnectionPool(ssl_context=context, max_connections=1) as pool:
        with scope(NO_SERVICE):
            holding = await pool.handle_async_request(_request(scene))
        tasks = [asyncio.ensure_future(send(each)) for each in (ALPHA_SERVICE, BETA_SERVICE)]
        # Both have asked for a place when this task is on again.
        await asyncio.sleep(0)
        await holding.aread()
        await holding.aclose()
        return await asyncio.wait_for(asyncio.gather(*tasks), TIMEOUT)


class TestServerName:
    """``sni_hostname`` is the name that TLS verifies, where httpcore heeds it."""

    @pytest.mark.parametrize("name", [BETA_HOST, BETA_HOST.encode()])
    def test_direct(self, pool: httpcore.ConnectionPool, scene: Scene, name: Any) -> None:
        """Its rule counts for a direct connection, be it text or bytes."""
        scene.activate_hosts()
        assert scene.beta.fingerprint == _send(pool, _request(scene, sni_hostname=name))
        assert scene.alpha.fingerprint == _send(pool, _request(scene))

    def test_through_a_tunnel(self, scene: Scene) -> None:
        """Through the tunnel of a proxy the host counts, and its connection is kept for it."""
        alpha = scene.files.identity(
            "alpha", scene.alpha, hosts=[ALPHA_HOST], services=[ALPHA_SERVICE]
        )
        scene.activate(alpha, scene.files.identity("beta", scene.beta, hosts=[BETA_HOST]))
        with (
            ConnectProxy() as proxy,
            httpcore.HTTPProxy(proxy.url(), ssl_context=_context(scene)) as pool,
        ):
            named = _send(pool, _request(scene, BETA_HOST, sni_hostname=ALPHA_HOST))
            of_service = _send(pool, _request(scene, BETA_HOST), ALPHA_SERVICE)
        assert [scene.beta.fingerprint, scene.alpha.fingerprint] == [named, of_service]


@pytest.mark.parametrize("url", ["ftp://a.example/", "//a.example/"])
@pytest.mark.parametrize("proxy", [None, "https://localhost:1"])
def test_unknown_schemes(scene: Scene, url: str, proxy: str | None) -> None:
    """What httpcore does not speak, it refuses in its own words, through a proxy too."""
    scene.activate(scene.files.identity("alpha", scene.alpha, hosts=["localhost"]))
    through = None if proxy is None else httpcore.Proxy(proxy)
    with (
        httpcore.ConnectionPool(proxy=through) as pool,
        pytest.raises(httpcore.UnsupportedProtocol),
    ):
        pool.request("GET", url)
