"""Every client of a proxy, in every form, for one service, another one and none.

What each server and each proxy saw decides: the leg to a proxy presents what the proxy's own rule
gives, whatever service is running, and the server behind it what the service gets.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pools import clients
from tests.pools.clients import Client, name_of, scope
from tests.pools.proxied_clients import TABLE, UNPOOLED, Form
from tests.pools.proxies import Proxies
from tests.support.pki import Authority, Leaf
from tests.support.proxy import ConnectProxy
from tests.support.scene import ALPHA_SERVICE, BETA_HOST, BETA_SERVICE, HOSTS, NOBODY, Scene
from tests.support.server_tls import TlsVersion
from tests.support.socks_proxy import SocksProxy

pytestmark = [
    pytest.mark.versions_in_turns,
    # requests verifies no proxy that forwards, with us and without.
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]

PROXY = BETA_HOST
#: a service first: what it opens must not be kept for the others
SERVICES = (ALPHA_SERVICE, None, BETA_SERVICE) * 2
PLAIN_URL = "http://plain.test/"
NEEDED = {
    "requests_session": "socks",
    "urllib3_manager": "socks",
    "aiohttp_session": "aiohttp_socks",
}


def _cells(*forms: Form) -> Any:
    cells = [(client, form) for client, its in TABLE.items() for form in its if form in forms]
    names = [f"{name_of(client)}-{form.value}" for client, form in cells]
    return pytest.mark.parametrize(("client", "form"), cells, ids=names)


def _skip_where_impossible(client: Client, form: Form) -> None:
    if form in (Form.SOCKS, Form.REMOTE_SOCKS):
        pytest.importorskip(NEEDED.get(name_of(client), "socksio"))
    if client is clients.aiohttp_session and form is Form.TLS_TUNNEL and sys.version_info < (3, 11):
        pytest.skip("asyncio has TLS in TLS since Python 3.11")


def _ask_all(client: Client, form: Form, scene: Scene, proxy_url: str) -> list[str | None]:
    """What each of SERVICES was answered to have been seen with, in turn."""
    _skip_where_impossible(client, form)
    url = PLAIN_URL if form is Form.FORWARD else scene.url(NOBODY)
    seen = []
    with client(scene.ca_file, proxy_url) as get:
        for service in SERVICES:
            with scope(service):
                seen.append(get(url)["fingerprint"])
    return seen


def _activate(scene: Scene, gamma: Leaf, proxy_hosts: list[str], **more: Any) -> None:
    """The services get alpha and gamma, the proxy beta, under the hosts given."""
    scene.activate(
        scene.files.identity("alpha", scene.alpha, services=[ALPHA_SERVICE]),
        scene.files.identity("beta", scene.beta, hosts=["elsewhere.test", *proxy_hosts]),
        scene.files.identity("gamma", gamma, services=[BETA_SERVICE]),
        **more,
    )


def _activate_rule(rule: str, scene: Scene, gamma: Leaf, port: int) -> None:
    """A rule for the proxy's port, none, one that says none, or only the default."""
    hosts = [f"{PROXY}:{port}"] if rule == "port" else []
    if rule == "none":
        none = {"hosts": [PROXY]}
        _activate(scene, gamma, hosts, unlisted_hosts="offer", no_certificate=none)
    else:
        _activate(scene, gamma, hosts, unlisted_hosts="offer" if rule == "default" else "none")


@pytest.fixture
def proxy(
    rule: str, scene: Scene, tls_proxy: Proxies, gamma: Leaf, tls_version: TlsVersion
) -> ConnectProxy:
    """One that speaks TLS, under the settings of the rule."""
    proxy = tls_proxy(hosts=HOSTS, version=tls_version)
    _activate_rule(rule, scene, gamma, proxy.port)
    return proxy


@pytest.mark.parametrize("rule", ["port", "removed", "none", "default"])
@_cells(Form.FORWARD)
def test_forwarding(
    client: Client,
    form: Form,
    rule: str,
    scene: Scene,
    proxy: ConnectProxy,
) -> None:
    """A proxy that forwards sees its own, and one connection serves every service."""
    expected = {"port": scene.beta.fingerprint, "default": scene.alpha.fingerprint}.get(rule)
    assert [expected] * 6 == _ask_all(client, form, scene, proxy.url(PROXY))
    pooled = name_of(client) != "urllib_request"
    assert [expected] * (1 if pooled else 6) == [each.fingerprint for each in proxy.seen]


@pytest.mark.parametrize("rule", ["port", "none", "default"])
@_cells(Form.TLS_TUNNEL)
def test_tls_in_tls(
    client: Client,
    form: Form,
    rule: str,
    scene: Scene,
    proxy: ConnectProxy,
    gamma: Leaf,
) -> None:
    """In a tunnel each end sees its own: the proxy by its rule, the server by the service."""
    alpha, beta = scene.alpha.fingerprint, scene.beta.fingerprint
    default = None if rule == "port" else alpha
    at_proxy = {"port": beta, "default": alpha}.get(rule)
    seen = _ask_all(client, form, scene, proxy.url(PROXY))
    assert [alpha, default, gamma.fingerprint] * 2 == seen
    assert {at_proxy} == {each.fingerprint for each in proxy.seen}
    assert 3 == len(proxy.seen)


@_cells(Form.TUNNEL)
def test_tunnel(
    client: Client, form: Form, scene: Scene, plain_proxy: ConnectProxy, gamma: Leaf
) -> None:
    """Behind a plain proxy the service decides, whatever rule there is for the proxy."""
    _activate(scene, gamma, [PROXY])
    seen = _ask_all(client, form, scene, plain_proxy.url(PROXY))
    assert [scene.alpha.fingerprint, None, gamma.fingerprint] * 2 == seen
    assert (6 if client in UNPOOLED else 3) == plain_proxy.connections
    assert {f"{NOBODY}:{scene.server.port}"} == set(plain_proxy.tunnels)


@pytest.fixture
def socks_proxy() -> Iterator[SocksProxy]:
    """A SOCKS proxy."""
    with SocksProxy() as proxy:
        yield proxy


@_cells(Form.SOCKS, Form.REMOTE_SOCKS)
def test_socks(
    client: Client, form: Form, scene: Scene, socks_proxy: SocksProxy, gamma: Leaf
) -> None:
    """Behind a SOCKS proxy too, whoever finds the address of the server; its port counts."""
    scheme = "socks5" if form is Form.SOCKS else "socks5h"
    _activate(scene, gamma, [f"{NOBODY}:{scene.server.port}"])
    # By an address that PySocks, which asks the system itself, finds as well.
    seen = _ask_all(client, form, scene, socks_proxy.url("127.0.0.1", scheme))
    assert [scene.alpha.fingerprint, scene.beta.fingerprint, gamma.fingerprint] * 2 == seen
    assert 3 == socks_proxy.connections
    if form is Form.REMOTE_SOCKS:
        assert {f"{NOBODY}:{scene.server.port}"} == set(socks_proxy.tunnels)


@_cells(Form.FORWARD, Form.TLS_TUNNEL)
def test_rotated(client: Client, form: Form, scene: Scene, tls_proxy: Proxies, gamma: Leaf) -> None:
    """A kept connection to a proxy is used for as long as it presents what the rules give."""
    _skip_where_impossible(client, form)
    proxy = tls_proxy(hosts=HOSTS)
    url = PLAIN_URL if form is Form.FORWARD else scene.url(NOBODY)
    with client(scene.ca_file, proxy.url(PROXY)) as get, scope(ALPHA_SERVICE):
        for leaf in (scene.beta, scene.beta, gamma):
            scene.activate_file(leaf, [PROXY])
            get(url)
    seen = [each.fingerprint for each in proxy.seen]
    assert [scene.beta.fingerprint, gamma.fingerprint] == [seen[0], seen[-1]]
    assert name_of(client) == "urllib_request" or len(seen) <= 2


@_cells(Form.FORWARD, Form.TLS_TUNNEL)
def test_authorities_of_the_proxy(
    client: Client, form: Form, scene: Scene, tls_proxy: Proxies, authority: Authority
) -> None:
    """The authorities of the proxy's rule alone verify it: its own, and not another one."""
    _skip_where_impossible(client, form)
    proxy = tls_proxy(hosts=HOSTS)
    url = PLAIN_URL if form is Form.FORWARD else scene.url(NOBODY)
    if name_of(client) == "requests_session" and form is Form.FORWARD:
        pytest.skip("requests verifies no proxy that forwards")
    for its, answers in ((authority, True), (Authority("Another root"), False)):
        identity = scene.files.identity("beta", scene.beta, hosts=[PROXY], authorities=[its])
        scene.activate(identity)
        with client(scene.ca_file, proxy.url(PROXY)) as get, scope(ALPHA_SERVICE):
            assert answers is _is_answered(get, url)
    assert [scene.beta.fingerprint] == [each.fingerprint for each in proxy.seen]


def _is_answered(get: clients.Get, url: str) -> bool:
    try:
        get(url)
    except Exception as error:
        text = f"{error!r} {error.__cause__!r} {error.__context__!r}"
        assert "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text
        return False
    return True
