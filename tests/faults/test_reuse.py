"""Kept connections, options and contexts serve only those for whom they were opened."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import urllib3

import mxcert_runtime
from tests.clients import calls
from tests.faults import pooled_clients
from tests.faults.pooled_clients import PooledClient
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.scene import (
    ALPHA_HOST,
    ALPHA_SERVICE,
    BETA_HOST,
    BETA_SERVICE,
    NO_SERVICE,
    NOBODY,
    Scene,
)
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.versions_in_turns

each_pool = pytest.mark.parametrize("client", pooled_clients.POOLS, ids=pooled_clients.name_of)
each_client = pytest.mark.parametrize("client", pooled_clients.ALL, ids=pooled_clients.name_of)


def _scope(service: str | None) -> Any:
    return nullcontext() if service is None else mxcert_runtime.service(service)


class TestCurlCve2016_5420:
    """A pooled connection was reused with another certificate, or with none."""

    SERVICES = (ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE, None)

    def _ask(self, client: PooledClient, scene: Scene, turns: int) -> list[str | None]:
        seen = []
        with client(scene.ca_file) as get:
            for service in self.SERVICES * turns:
                with _scope(service):
                    seen.append(get(scene.url())["fingerprint"])
        return seen

    @each_client
    def test_curl_cve_2016_5420_connection_reused_with_another_or_no_certificate(
        self, client: PooledClient, scene: Scene
    ) -> None:
        """Same host with A, B, none and no service in turn: the server sees A, B, none, none."""
        scene.activate_services()
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint, None, None]
        assert expected * 2 == self._ask(client, scene, 2)

    @each_pool
    def test_none_beside_a_host_rule(self, client: PooledClient, scene: Scene, gamma: Leaf) -> None:
        """The service that is to present none does not take the connection of the host's rule."""
        identities = [
            scene.files.identity("alpha", scene.alpha, services=[ALPHA_SERVICE]),
            scene.files.identity("beta", scene.beta, services=[BETA_SERVICE]),
            scene.files.identity("gamma", gamma, hosts=[ALPHA_HOST]),
        ]
        scene.activate(*identities, no_certificate={"services": [NO_SERVICE]})
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint, None, gamma.fingerprint]
        assert expected * 2 == self._ask(client, scene, 2)

    @each_pool
    def test_twin_each_keeps_its_own(self, client: PooledClient, scene: Scene) -> None:
        """The twin: connections are kept all the same, one for each that presents another."""
        scene.activate_services()
        self._ask(client, scene, 3)
        assert [scene.alpha.fingerprint, scene.beta.fingerprint, None] == scene.seen


class TestCurlCve2016_7141:
    """An earlier certificate was used where none was set."""

    @each_client
    @pytest.mark.parametrize("others", [0, 1], ids=["one identity", "two identities"])
    def test_curl_cve_2016_7141_earlier_certificate_used_where_none_is_set(
        self, client: PooledClient, others: int, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A pinned host, then one with the empty path: no certificate; the twin gets the default.

        With one identity that is offered to all, and with two among which the server chooses.
        """
        leaves = [scene.alpha, scene.beta][: 1 + others]
        usages = {ALPHA_HOST: scene.alpha, NOBODY: None}
        for name, value in scene.files.variables(*leaves, usages=usages).items():
            monkeypatch.setenv(name, value)
        mxcert_runtime.activate()
        hosts = [ALPHA_HOST, NOBODY, BETA_HOST, NOBODY, ALPHA_HOST]
        with client(scene.ca_file) as get:
            seen = [get(scene.url(host))["fingerprint"] for host in hosts]
        alpha = scene.alpha.fingerprint
        assert [alpha, None, alpha, None, alpha] == seen


class TestCurlCve2022_27782And2026_8932:
    """What had changed since was missing from the key under which a connection is reused."""

    @each_client
    def test_curl_cve_2022_27782_and_2026_8932_same_path_with_a_new_key(
        self, client: PooledClient, scene: Scene
    ) -> None:
        """Same path, new key in it: a new connection, which presents the new certificate."""
        seen = []
        with client(scene.ca_file) as get:
            for leaf in (scene.alpha, scene.beta):
                scene.activate_file(leaf)
                seen.append(get(scene.url())["fingerprint"])
        assert [scene.alpha.fingerprint, scene.beta.fingerprint] == seen
        assert 2 == scene.server.connections

    @each_pool
    def test_new_certificate_for_the_same_key(
        self, client: PooledClient, scene: Scene, client_authority: Authority
    ) -> None:
        """A certificate that was renewed for its old key is another one all the same."""
        key = scene.alpha.key
        renewed = client_authority.issue("alpha", server=False, signing_key=key)
        seen = []
        with client(scene.ca_file) as get:
            for leaf in (scene.alpha, renewed):
                scene.activate_file(leaf)
                seen.append(get(scene.url())["fingerprint"])
        assert [scene.alpha.fingerprint, renewed.fingerprint] == seen

    @each_pool
    def test_rule_taken_away(self, client: PooledClient, scene: Scene) -> None:
        """After the host's rule has gone its connection with the certificate is not used."""
        seen = []
        with client(scene.ca_file) as get:
            for host in (ALPHA_HOST, BETA_HOST):
                scene.activate_file(scene.alpha, [host])
                seen.append(get(scene.url())["fingerprint"])
        assert [scene.alpha.fingerprint, None] == seen

    @each_client
    def test_authorities_replaced(
        self, client: PooledClient, scene: Scene, client_authority: Authority
    ) -> None:
        """After the rule names authorities that did not sign the server, it is refused."""
        right, wrong = (scene.files.authority(each) for each in (scene.authority, client_authority))
        # First, since Python 3.9 refuses authorities of a rule in an older context.
        scene.activate_file(scene.alpha, authorities=[right])
        with client(scene.ca_file) as get:
            assert scene.alpha.fingerprint == get(scene.url())["fingerprint"]
            scene.activate_file(scene.alpha, authorities=[wrong])
            with pytest.raises(Exception, match="certificate verify failed"):
                get(scene.url())
        assert [scene.alpha.fingerprint] == scene.seen

    @each_pool
    def test_twin_nothing_changed(self, client: PooledClient, scene: Scene) -> None:
        """The twin: with the same key read again the connection is kept."""
        with client(scene.ca_file) as get:
            for _ in range(3):
                scene.activate_file(scene.alpha)
                assert scene.alpha.fingerprint == get(scene.url())["fingerprint"]
        assert 1 == scene.server.connections


def _requests_off_then_on(url: str, ca_file: str) -> tuple[Any, Callable[[], Any]]:
    import requests
    import urllib3

    session = requests.Session()
    session.verify = ca_file
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        first = session.get(url, verify=False, timeout=TIMEOUT).json()

    def again() -> Any:
        with session:
            return session.get(url, timeout=TIMEOUT).json()

    return first, again


def _urllib3_off_then_on(url: str, ca_file: str) -> tuple[Any, Callable[[], Any]]:
    import urllib3

    manager = urllib3.PoolManager(retries=False, timeout=TIMEOUT)
    parts = urllib3.util.parse_url(url)

    def get(**trust: Any) -> Any:
        pool = manager.connection_from_host(parts.host, parts.port, "https", pool_kwargs=trust)
        return json.loads(pool.request("GET", "/").data)

    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        first = get(cert_reqs="CERT_NONE")

    def again() -> Any:
        with manager:
            return get(cert_reqs="CERT_REQUIRED", ca_certs=ca_file)

    return first, again


def _aiohttp_off_then_on(url: str, ca_file: str) -> tuple[Any, Callable[[], Any]]:
    import aiohttp

    verifying = ssl.create_default_context(cafile=ca_file)
    loop = asyncio.new_event_loop()

    async def get(session: aiohttp.ClientSession, trust: Any) -> Any:
        async with session.get(url, ssl=trust) as response:
            return await response.json()

    async def begin() -> Any:
        connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
        session = aiohttp.ClientSession(connector=connector)
        return session, await get(session, False)

    session, first = loop.run_until_complete(begin())

    def again() -> Any:
        try:
            return loop.run_until_complete(get(session, verifying))
        finally:
            loop.run_until_complete(session.close())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    return first, again


def _toggled_context(call: calls.Call) -> Any:
    """The context itself is switched off and on again."""

    def off_then_on(url: str, ca_file: str) -> tuple[Any, Callable[[], Any]]:
        context = ssl.create_default_context(cafile=ca_file)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        first = call(url, context)
        context.verify_mode, context.check_hostname = ssl.CERT_REQUIRED, True
        return first, lambda: call(url, context)

    off_then_on.__name__ = f"context of {call.__name__}"
    return off_then_on


_WAYS = (
    _requests_off_then_on,
    _urllib3_off_then_on,
    _aiohttp_off_then_on,
    *map(_toggled_context, (calls.http_client, calls.httpx_client, calls.httpx_async)),
)


@pytest.mark.parametrize("way", _WAYS, ids=lambda way: way.__name__.strip("_"))
class TestRequestsCve2024_35195:
    """``verify=False`` of one call stuck to the pool for all later ones."""

    def _activate(self, scene: Scene, service: str | None) -> None:
        names = {"hosts": [ALPHA_HOST]} if service is None else {"services": [service]}
        scene.activate(scene.files.identity("alpha", scene.alpha, **names))

    @pytest.mark.parametrize("service", [None, ALPHA_SERVICE], ids=["by host", "by service"])
    def test_requests_cve_2024_35195_verify_false_sticks_to_the_pool(
        self,
        way: Any,
        service: str | None,
        scene: Scene,
        client_authority: Authority,
    ) -> None:
        """Off, then on: the server of a root that is not trusted is refused."""
        self._activate(scene, service)
        with _scope(service):
            first, again = way(scene.url(), str(scene.files.authority(client_authority)))
            with pytest.raises(Exception, match="certificate verify failed"):
                again()
        assert scene.alpha.fingerprint == first["fingerprint"]
        assert [scene.alpha.fingerprint] == scene.seen

    def test_wrong_host(
        self,
        way: Any,
        scene: Scene,
        tls_server: ServerFactory[TlsServer],
        tls_version: TlsVersion,
    ) -> None:
        """Off, then on: a certificate for another name is refused."""
        server = tls_server(
            leaf=scene.authority.issue("other", hosts=["other.test"]), version=tls_version
        )
        self._activate(scene, ALPHA_SERVICE)
        with _scope(ALPHA_SERVICE):
            _, again = way(server.url(ALPHA_HOST), scene.ca_file)
            with pytest.raises(Exception, match=r"certificate verify failed|doesn't match"):
                again()
        # urllib3 1.26 compares the name itself, after the second handshake.
        of_urllib3 = way in (_requests_off_then_on, _urllib3_off_then_on)
        count = 2 if urllib3.__version__ < "2" and of_urllib3 else 1
        seen = [seen.fingerprint for seen in server.seen.wait_for(count)]
        assert [scene.alpha.fingerprint] * count == seen

    def test_twin_trusted(self, way: Any, scene: Scene) -> None:
        """The twin: off, then on, with the right authority: accepted, on another connection."""
        self._activate(scene, ALPHA_SERVICE)
        with _scope(ALPHA_SERVICE):
            first, again = way(scene.url(), scene.ca_file)
            second = again()
        assert [scene.alpha.fingerprint] * 2 == [first["fingerprint"], second["fingerprint"]]
        assert 2 == scene.server.connections
