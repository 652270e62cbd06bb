"""httpx and aiohttp, as far as they go through ``ssl``: a pinned host gets its own, others none."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import aiohttp
import httpx
import pytest

from tests.clients import calls
from tests.clients.calls import TIMEOUT, Call, name_of
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS


@pytest.mark.parametrize("call", [*calls.HTTPX, *calls.AIOHTTP], ids=name_of)
class TestContexts:
    def test_shared_context(self, stage: Stage, call: Call) -> None:
        """One context serves all hosts, in any order."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        hosts = [*HOSTS, *reversed(HOSTS)]
        answers = [call(stage.url(host), context) for host in hosts]
        assert stage.expect(hosts) == [answer["fingerprint"] for answer in answers]

    def test_older_context(self, stage: Stage, call: Call, old_context: ssl.SSLContext) -> None:
        """A context that is older than the activation serves all hosts."""
        stage.activate()
        answers = [call(url, old_context) for url in stage.urls]
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


class TestHttpx:
    def test_one_client(self, stage: Stage) -> None:
        """One client for three hosts, again and again, reuses its connections."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        with httpx.Client(verify=context, timeout=TIMEOUT) as client:
            seen = [client.get(url).json()["fingerprint"] for url in stage.urls * 2]
        assert stage.expected * 2 == seen
        assert 3 == stage.server.connections

    def test_older_client(self, stage: Stage, old_context: ssl.SSLContext) -> None:
        """A client that is older than the activation."""
        with httpx.Client(verify=old_context, timeout=TIMEOUT) as client:
            stage.activate()
            assert stage.expected == [client.get(url).json()["fingerprint"] for url in stage.urls]

    def test_async_client_at_once(self, stage: Stage) -> None:
        """One AsyncClient, many requests at once: nobody sees another host's identity."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)

        async def get_all() -> list[Any]:
            async with httpx.AsyncClient(verify=context, timeout=TIMEOUT) as client:
                answers = await asyncio.gather(*(client.get(url) for url in stage.urls * 5))
                return [answer.json()["fingerprint"] for answer in answers]

        assert stage.expected * 5 == asyncio.run(get_all())

    def test_default_trust(self, stage: Stage) -> None:
        """Authorities of the settings join the trust that httpx has by default; the twin fails."""
        stage.activate()
        with pytest.raises(httpx.ConnectError):
            httpx.get(stage.url(ALPHA_HOST), timeout=TIMEOUT)
        stage.activate(ca=[stage.ca_file])
        answers = [httpx.get(url, timeout=TIMEOUT) for url in stage.urls]
        assert stage.expected == [answer.json()["fingerprint"] for answer in answers]

    def test_without_verification(self, stage: Stage) -> None:
        """``verify=False`` presents by rule all the same."""
        stage.activate()
        with httpx.Client(verify=False, timeout=TIMEOUT) as client:  # noqa: S501
            assert stage.expected == [client.get(url).json()["fingerprint"] for url in stage.urls]

    def test_redirect(self, stage: Stage) -> None:
        """A pinned host redirects to one without a rule: no certificate there."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        url = stage.url(ALPHA_HOST, f"/redirect?to={stage.url(NOBODY)}")
        answer = httpx.get(url, verify=context, follow_redirects=True, timeout=TIMEOUT).json()
        assert (NOBODY, None) == (answer["sni"], answer["fingerprint"])
        assert stage.expect([ALPHA_HOST, NOBODY]) == stage.seen


class TestAiohttp:
    def test_one_session_at_once(self, stage: Stage) -> None:
        """One session, many requests at once: nobody sees another host's identity."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        assert stage.expected * 5 == asyncio.run(_get_all(stage.urls * 5, context))

    def test_without_verification(self, stage: Stage) -> None:
        """``ssl=False`` uses a context that aiohttp made at its import; it presents by rule."""
        stage.activate()
        assert stage.expected == asyncio.run(_get_all(stage.urls, False))

    def test_default_trust(self, stage: Stage) -> None:
        """Without a context of the caller's the server of an unknown root is refused."""
        stage.activate()
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            asyncio.run(_get_all(stage.urls, True))
        assert [] == stage.seen


async def _get_all(urls: list[str], context: ssl.SSLContext | bool) -> list[Any]:
    connector = aiohttp.TCPConnector(ssl=context, resolver=aiohttp.ThreadedResolver())
    async with aiohttp.ClientSession(connector=connector) as session:

        async def get(url: str) -> Any:
            async with session.get(url) as response:
                return (await response.json())["fingerprint"]

        return await asyncio.gather(*(get(url) for url in urls))
