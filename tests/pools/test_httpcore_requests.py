"""Requests of httpcore itself, whose objects a program may keep and send more than once."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator

import httpcore
import pytest

from tests.faults.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE, Scene
from tests.pools.clients import scope

SERVICES = (ALPHA_SERVICE, NO_SERVICE, BETA_SERVICE, NO_SERVICE, ALPHA_SERVICE)


@pytest.fixture
def pool(scene: Scene) -> Iterator[httpcore.ConnectionPool]:
    """A pool that trusts the server, with the services activated."""
    scene.activate_services()
    context = ssl.create_default_context(cafile=scene.ca_file)
    with httpcore.ConnectionPool(ssl_context=context) as pool:
        yield pool


def _send(
    pool: httpcore.ConnectionPool, request: httpcore.Request, service: str | None
) -> str | None:
    with scope(service):
        response = pool.handle_request(request)
    seen = json.loads(b"".join(response.iter_stream()))
    response.close()
    fingerprint: str | None = seen["fingerprint"]
    return fingerprint


def _expected(scene: Scene) -> list[str | None]:
    by_service = {ALPHA_SERVICE: scene.alpha.fingerprint, BETA_SERVICE: scene.beta.fingerprint}
    return [by_service.get(service) for service in SERVICES]


def _request(scene: Scene) -> httpcore.Request:
    url = httpcore.URL(scheme="https", host=ALPHA_HOST, port=scene.server.port, target="/")
    return httpcore.Request("GET", url, headers={"Host": ALPHA_HOST})


def test_one_request_for_many_services(pool: httpcore.ConnectionPool, scene: Scene) -> None:
    """A request that is sent again goes by the service of that moment, not of the first time."""
    request = _request(scene)
    assert _expected(scene) == [_send(pool, request, service) for service in SERVICES]


def test_one_url_for_many_services(pool: httpcore.ConnectionPool, scene: Scene) -> None:
    """The caller's URL is not changed, so requests that share it do not share a decision."""
    url = _request(scene).url
    before = vars(url).copy()
    requests = [httpcore.Request("GET", url, headers={"Host": ALPHA_HOST}) for _ in SERVICES]
    assert _expected(scene) == [_send(pool, *pair) for pair in zip(requests, SERVICES)]
    assert (httpcore.URL, before) == (type(url), vars(url))


@pytest.mark.parametrize("url", ["ftp://a.example/", "//a.example/"])
def test_unknown_schemes(pool: httpcore.ConnectionPool, url: str) -> None:
    """What httpcore does not speak, it refuses in its own words."""
    with pytest.raises(httpcore.UnsupportedProtocol):
        pool.request("GET", url)
