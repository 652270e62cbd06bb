"""Names of proxies: in any spelling, by any address, another one for each request."""

from __future__ import annotations

import pytest

from tests.pools import clients
from tests.pools.clients import Client, name_of, scope
from tests.pools.proxies import Proxies, activate_for_proxies, skip_without_tls_in_tls
from tests.support.listener import IPV4_AND_IPV6, TIMEOUT
from tests.support.names import LoopbackNames
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_HOST, HOSTS, NOBODY, Scene

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
each_proxied = pytest.mark.parametrize("client", clients.PROXIED, ids=name_of)


class TestNamesOfProxies:
    """The rule for a proxy fits, in whatever spelling the client is given the proxy."""

    @pytest.mark.parametrize(
        ("written", "rule"),
        [
            ("beta.test.", "beta.test"),
            ("BETA.test", "beta.TEST"),
            ("b\u00fccher.test", "xn--bcher-kva.test"),
            ("xn--bcher-kva.test", "b\u00fccher.test"),
            ("[::1]", "0:0:0:0:0:0:0:1"),
            ("[0:0::1]", "::1"),
        ],
    )
    @each_proxied
    def test_spelling(
        self, client: Client, written: str, rule: str, scene: Scene, tls_proxy: Proxies
    ) -> None:
        """Both where it forwards and where it tunnels, the proxy sees its own identity."""
        skip_without_tls_in_tls(client)
        if written.endswith(".") and name_of(client).startswith("httpx"):
            pytest.skip("httpx verifies the name with its dot, which no certificate has")
        names = ["xn--bcher-kva.test", *HOSTS]
        proxy = tls_proxy(hosts=names, addresses=IPV4_AND_IPV6)
        activate_for_proxies(scene, rule)
        with client(scene.ca_file, proxy.url(written)) as get, scope(ALPHA_SERVICE):
            answers = [get(url)["fingerprint"] for url in ("http://plain.test/", scene.url(NOBODY))]
        assert [scene.beta.fingerprint, scene.alpha.fingerprint] == answers
        assert [scene.beta.fingerprint] * 2 == [each.fingerprint for each in proxy.seen]


def test_a_proxy_for_each_request(scene: Scene, tls_proxy: Proxies) -> None:
    """requests may be given another proxy with each request, or find it in the environment."""
    import requests

    proxies = [tls_proxy(hosts=HOSTS) for _ in range(2)]
    names = ALPHA_HOST, BETA_HOST
    scene.activate_hosts()
    with requests.Session() as session, pytest.MonkeyPatch.context() as patch:
        session.verify = scene.ca_file
        for _ in range(2):
            for proxy, name in zip(proxies, names):
                through = {"https": proxy.url(name)}
                seen = session.get(scene.url(NOBODY), proxies=through, timeout=TIMEOUT).json()
                assert seen["fingerprint"] is None
        patch.setenv("https_proxy", proxies[0].url(BETA_HOST))
        assert session.get(scene.url(NOBODY), timeout=TIMEOUT).json()["fingerprint"] is None
    expected = [[scene.alpha.fingerprint, scene.beta.fingerprint], [scene.beta.fingerprint]]
    assert expected == [[each.fingerprint for each in proxy.seen] for proxy in proxies]


def test_server_name_at_a_proxy(scene: Scene, tls_proxy: Proxies) -> None:
    """httpcore verifies a proxy by ``sni_hostname``: so it is decided, and kept apart."""
    import httpcore

    proxy = tls_proxy(hosts=HOSTS)
    scene.activate_hosts()
    context = scene.context()
    to_proxy = httpcore.Proxy(proxy.url(BETA_HOST), ssl_context=context)
    with httpcore.ConnectionPool(ssl_context=context, proxy=to_proxy) as pool:
        for extensions in ({"sni_hostname": ALPHA_HOST}, {}) * 2:
            pool.request("GET", scene.url(NOBODY), extensions=extensions)
    expected = [scene.alpha.fingerprint, scene.beta.fingerprint]
    assert expected == [each.fingerprint for each in proxy.seen]


@each_proxied
def test_happy_eyeballs(client: Client, scene: Scene, tls_proxy: Proxies) -> None:
    """A proxy whose first address nobody listens on is still the proxy, port and all."""
    skip_without_tls_in_tls(client)
    proxy = tls_proxy(hosts=HOSTS)
    activate_for_proxies(scene, f"{BETA_HOST}:{proxy.port}")
    with (
        LoopbackNames(addresses=("::1", "127.0.0.1")),
        client(scene.ca_file, proxy.url(BETA_HOST)) as get,
        scope(ALPHA_SERVICE),
    ):
        assert scene.alpha.fingerprint == get(scene.url(NOBODY))["fingerprint"]
    assert [scene.beta.fingerprint] == [each.fingerprint for each in proxy.seen]
