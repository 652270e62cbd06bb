"""Proxies: each leg is matched by its own name, and never by that of the other one."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any

import pytest

from tests.pools import clients
from tests.pools.clients import Client, name_of, scope
from tests.pools.proxies import Proxies, skip_without_tls_in_tls
from tests.support.listener import TIMEOUT
from tests.support.pki import Leaf
from tests.support.proxy import ConnectProxy
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_HOST, HOSTS, NOBODY, Scene

each_client = pytest.mark.parametrize("client", clients.PROXIED, ids=name_of)


def _expected(scene: Scene, *hosts: str) -> list[Any]:
    leaves = {ALPHA_HOST: scene.alpha.fingerprint, BETA_HOST: scene.beta.fingerprint}
    return [leaves.get(host) for host in hosts]


@each_client
class TestPlainProxy:
    def test_hosts(self, client: Client, scene: Scene, plain_proxy: ConnectProxy) -> None:
        """Through an http proxy each host sees its own, whatever the proxy is called."""
        scene.activate_hosts()
        with client(scene.ca_file, plain_proxy.url(BETA_HOST)) as get:
            seen = [get(scene.url(host))["fingerprint"] for host in HOSTS * 2]
        assert _expected(scene, *HOSTS * 2) == seen
        assert 3 == plain_proxy.connections

    def test_ports(
        self, client: Client, scene: Scene, plain_proxy: ConnectProxy, gamma: Leaf
    ) -> None:
        """The port is that of the host behind the proxy, not the proxy's."""
        scene.activate(
            scene.files.identity("a", scene.alpha, hosts=[f"{ALPHA_HOST}:{scene.server.port}"]),
            scene.files.identity("b", scene.beta, hosts=[f"{ALPHA_HOST}:{plain_proxy.port}"]),
            scene.files.identity("c", gamma, hosts=[ALPHA_HOST]),
        )
        with client(scene.ca_file, plain_proxy.url(ALPHA_HOST)) as get:
            assert scene.alpha.fingerprint == get(scene.url())["fingerprint"]


@each_client
class TestTlsProxy:
    @pytest.mark.parametrize("proxy_host", HOSTS)
    def test_hosts(self, client: Client, scene: Scene, tls_proxy: Proxies, proxy_host: str) -> None:
        """TLS in TLS: the proxy sees its own identity or none, each host its own or none."""
        skip_without_tls_in_tls(client)
        proxy = tls_proxy(hosts=HOSTS)
        scene.activate_hosts()
        with client(scene.ca_file, proxy.url(proxy_host)) as get:
            seen = [get(scene.url(host))["fingerprint"] for host in HOSTS * 2]
        assert _expected(scene, *HOSTS * 2) == seen
        assert _expected(scene, *[proxy_host] * 3) == [each.fingerprint for each in proxy.seen]

    def test_ports(self, client: Client, scene: Scene, tls_proxy: Proxies) -> None:
        """One name for both legs: rules with a port tell them apart."""
        skip_without_tls_in_tls(client)
        proxy = tls_proxy(hosts=HOSTS)
        scene.activate(
            scene.files.identity("a", scene.alpha, hosts=[f"{ALPHA_HOST}:{scene.server.port}"]),
            scene.files.identity("b", scene.beta, hosts=[f"{ALPHA_HOST}:{proxy.port}"]),
        )
        with client(scene.ca_file, proxy.url(ALPHA_HOST)) as get:
            assert scene.alpha.fingerprint == get(scene.url())["fingerprint"]
        assert [scene.beta.fingerprint] == [each.fingerprint for each in proxy.seen]

    def test_another_identity_of_the_proxy(
        self, client: Client, scene: Scene, tls_proxy: Proxies
    ) -> None:
        """After an activation with another identity for the proxy its tunnel is not used."""
        skip_without_tls_in_tls(client)
        proxy = tls_proxy(hosts=HOSTS)
        with client(scene.ca_file, proxy.url(BETA_HOST)) as get:
            for leaf in (scene.alpha, scene.beta):
                scene.activate_file(leaf, [BETA_HOST])
                assert get(scene.url())["fingerprint"] is None
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint]
        assert expected == [each.fingerprint for each in proxy.seen]

    def test_twin_same_identity_of_the_proxy(
        self, client: Client, scene: Scene, tls_proxy: Proxies
    ) -> None:
        """The twin: with the same one the tunnel is kept."""
        skip_without_tls_in_tls(client)
        proxy = tls_proxy(hosts=HOSTS)
        with client(scene.ca_file, proxy.url(BETA_HOST)) as get:
            for _ in range(2):
                scene.activate_file(scene.alpha, [BETA_HOST])
                assert get(scene.url())["fingerprint"] is None
        assert 1 == proxy.connections

    def test_services(self, client: Client, scene: Scene, tls_proxy: Proxies) -> None:
        """Services in turn: each host sees what the service gets, in tunnels that are kept."""
        skip_without_tls_in_tls(client)
        proxy = tls_proxy(hosts=HOSTS)
        scene.activate_services()
        seen = []
        with client(scene.ca_file, proxy.url(NOBODY)) as get:
            for service in (ALPHA_SERVICE, None) * 3:
                with scope(service):
                    seen.append(get(scene.url())["fingerprint"])
        assert [scene.alpha.fingerprint, None] * 3 == seen
        assert 2 == proxy.connections


@pytest.mark.parametrize("host", HOSTS)
def test_http_client_tunnel(scene: Scene, plain_proxy: ConnectProxy, host: str) -> None:
    """``HTTPSConnection.set_tunnel``: the host behind the proxy counts, with its port."""
    scene.activate(
        scene.files.identity("a", scene.alpha, hosts=[f"{ALPHA_HOST}:{scene.server.port}"]),
        scene.files.identity("b", scene.beta, hosts=[f"{BETA_HOST}:{plain_proxy.port}"]),
    )
    connection = http.client.HTTPSConnection(
        BETA_HOST, plain_proxy.port, timeout=TIMEOUT, context=scene.context()
    )
    with closing(connection):
        connection.set_tunnel(host, scene.server.port)
        connection.request("GET", "/")
        seen = json.load(connection.getresponse())["fingerprint"]
    assert (scene.alpha.fingerprint if host == ALPHA_HOST else None) == seen
