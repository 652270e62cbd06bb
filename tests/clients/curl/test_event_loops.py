"""pycurl under tornado and asyncio: a request presents its own, whenever it is begun."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

pytest.importorskip("pycurl")

import pycurl

import mxcert_runtime
from tests.clients.curl.handles import HOSTS, make_handle
from tests.support.scene import ALPHA_HOST, BETA_SERVICE, Scene


def _tornado_fetch(scene: Scene) -> tuple[Any, Any]:
    """A client of one handle, and what fetches by it."""
    httpclient = pytest.importorskip("tornado.curl_httpclient")
    client = httpclient.CurlAsyncHTTPClient(force_instance=True, max_clients=1)
    names = [f"{host}:{scene.server.port}:127.0.0.1" for host in HOSTS]

    async def fetch(host: str, service: str | None = None) -> str | None:
        with mxcert_runtime.service(service or "Module.Other"):
            answer = await client.fetch(
                scene.url(host),
                ca_certs=scene.ca_file,
                prepare_curl_callback=lambda curl: curl.setopt(pycurl.RESOLVE, names),
            )
        fingerprint: str | None = json.loads(answer.body)["fingerprint"]
        return fingerprint

    return client, fetch


def test_tornado(scene: Scene) -> None:
    """tornado's client by curl presents each host its own, on its kept handles."""
    scene.activate_hosts()

    async def main() -> list[str | None]:
        client, fetch = _tornado_fetch(scene)
        answers = [await fetch(host) for host in HOSTS * 2]
        client.close()
        return answers

    assert [scene.alpha.fingerprint, scene.beta.fingerprint, None] * 2 == asyncio.run(main())


def test_tornado_queue(scene: Scene) -> None:
    """A request that waits for a handle presents what its own service is to present."""
    scene.activate_services()
    services = [BETA_SERVICE, "Module.Alpha", None, BETA_SERVICE]

    async def main() -> list[str | None]:
        client, fetch = _tornado_fetch(scene)
        answers = await asyncio.gather(*(fetch(ALPHA_HOST, each) for each in services))
        client.close()
        return list(answers)

    alpha, beta = scene.alpha.fingerprint, scene.beta.fingerprint
    assert [beta, alpha, None, beta] == asyncio.run(main())


def test_async_multi(scene: Scene) -> None:
    """pycurl's own integration with asyncio is reached."""
    if not hasattr(pycurl, "AsyncCurlMulti"):
        pytest.skip("this version has none")
    scene.activate_hosts()

    async def fetch() -> str | None:
        curl, body = make_handle(scene), io.BytesIO()
        curl.setopt(pycurl.URL, scene.url())
        curl.setopt(pycurl.WRITEFUNCTION, body.write)
        async with pycurl.AsyncCurlMulti() as multi:
            await multi.perform(curl)
        fingerprint: str | None = json.loads(body.getvalue())["fingerprint"]
        return fingerprint

    assert scene.alpha.fingerprint == asyncio.run(fetch())
