"""A session is resumed where nothing has changed, and for nobody else."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

import mxcert_runtime
from tests.faults import resumption
from tests.faults.resumption import Dial, over_stream
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority
from tests.support.proxy import ConnectProxy
from tests.support.scene import (
    ALPHA_HOST,
    ALPHA_SERVICE,
    BETA_HOST,
    BETA_SERVICE,
    HOSTS,
    NO_SERVICE,
    NOBODY,
    Scene,
)
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

each_way = pytest.mark.parametrize(
    "dial", [resumption.by_socket, resumption.by_memory], ids=resumption.name_of
)
Proxies = ServerFactory[ConnectProxy]


def _scope(service: str | None) -> Any:
    return nullcontext() if service is None else mxcert_runtime.service(service)


def _fingerprint(scene: Scene, service: str) -> str | None:
    leaves = {ALPHA_SERVICE: scene.alpha.fingerprint, BETA_SERVICE: scene.beta.fingerprint}
    return leaves.get(service)


@each_way
class TestCurlCve2016_5419And2017_7468:
    """A session was resumed although the client certificate had changed."""

    @pytest.mark.parametrize("age", ["new context", "older context"])
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (ALPHA_SERVICE, BETA_SERVICE),
            (ALPHA_SERVICE, NO_SERVICE),
            (NO_SERVICE, ALPHA_SERVICE),
        ],
        ids=["A-B", "A-none", "none-A"],
    )
    def test_curl_cve_2016_5419_session_resumed_although_the_certificate_changed(
        self, dial: Dial, before: str, after: str, age: str, scene: Scene
    ) -> None:
        """Another service, the old session: a full handshake, and the server sees what is new."""
        older = scene.context()
        scene.activate_services()
        context = older if age == "older context" else scene.context()
        with mxcert_runtime.service(before):
            first = dial(context, scene.server, ALPHA_HOST)
        with mxcert_runtime.service(after):
            second = dial(context, scene.server, ALPHA_HOST, first.session)
        assert (_fingerprint(scene, before), False) == first.sight
        assert (_fingerprint(scene, after), False) == second.sight

    @pytest.mark.parametrize("age", ["new context", "older context"])
    def test_curl_cve_2017_7468_session_from_before_there_was_a_certificate(
        self, dial: Dial, age: str, scene: Scene
    ) -> None:
        """A session without a certificate is not resumed once settings give the host one."""
        older = scene.context()
        if age == "new context":
            scene.activate_file(scene.alpha, [BETA_HOST])
        context = older if age == "older context" else scene.context()
        first = dial(context, scene.server, ALPHA_HOST)
        scene.activate_file(scene.alpha, [ALPHA_HOST])
        second = dial(context, scene.server, ALPHA_HOST, first.session)
        assert (None, False) == first.sight
        assert (scene.alpha.fingerprint, False) == second.sight

    @pytest.mark.parametrize("service", [ALPHA_SERVICE, NO_SERVICE])
    def test_twin_unchanged(self, dial: Dial, service: str, scene: Scene) -> None:
        """The twin: with the same certificate, or none as before, the session is resumed."""
        scene.activate_services()
        context = scene.context()
        with mxcert_runtime.service(service):
            first = dial(context, scene.server, ALPHA_HOST)
            second = dial(context, scene.server, ALPHA_HOST, first.session)
        assert (_fingerprint(scene, service), True) == second.sight


@each_way
class TestEnvoyCve2022_21654AndGoCve2025_68121:
    """A session was resumed although the configuration had changed."""

    def test_envoy_cve_2022_21654_resumption_after_a_rotation(
        self, dial: Dial, scene: Scene
    ) -> None:
        """Rotate: the old session is not resumed, and the server sees the new subject."""
        scene.activate_file(scene.alpha)
        context = scene.context()
        first = dial(context, scene.server, ALPHA_HOST)
        scene.activate_file(scene.beta)
        second = dial(context, scene.server, ALPHA_HOST, first.session)
        assert (scene.alpha.fingerprint, False) == first.sight
        assert (scene.beta.fingerprint, False) == second.sight
        assert scene.beta.subject == second.answer["subject"]

    def test_go_cve_2025_68121_resumption_after_the_authorities_changed(
        self, dial: Dial, scene: Scene, client_authority: Authority
    ) -> None:
        """A session that other authorities verified is not resumed: the server is refused."""
        right, wrong = (scene.files.authority(each) for each in (scene.authority, client_authority))
        scene.activate_file(scene.alpha, authorities=[right])
        context = ssl.create_default_context()
        first = dial(context, scene.server, ALPHA_HOST)
        scene.activate_file(scene.alpha, authorities=[wrong])
        with pytest.raises(ssl.SSLCertVerificationError):
            dial(context, scene.server, ALPHA_HOST, first.session)
        assert (scene.alpha.fingerprint, False) == first.sight
        assert [scene.alpha.fingerprint] == scene.seen

    def test_authorities_of_all_hosts_changed(
        self, dial: Dial, scene: Scene, client_authority: Authority
    ) -> None:
        """The same for a host without a certificate, and authorities that all hosts share."""
        right, wrong = (
            str(scene.files.authority(each)) for each in (scene.authority, client_authority)
        )
        scene.activate_hosts(ca=[right])
        context = ssl.create_default_context()
        first = dial(context, scene.server, NOBODY)
        scene.activate_hosts(ca=[wrong])
        with pytest.raises(ssl.SSLCertVerificationError):
            dial(context, scene.server, NOBODY, first.session)
        assert (None, False) == first.sight

    def test_twin_not_rotated(self, dial: Dial, scene: Scene) -> None:
        """The twin: without a rotation in between the session is resumed."""
        scene.activate_file(scene.alpha, authorities=[scene.files.authority(scene.authority)])
        context = scene.context()
        first = dial(context, scene.server, ALPHA_HOST)
        second = dial(context, scene.server, ALPHA_HOST, first.session)
        assert (scene.alpha.fingerprint, True) == second.sight


@each_way
class TestNginxCve2025_23419:
    """A session of one name was resumed at another name of the same server."""

    def _activate(self, scene: Scene) -> ssl.SSLContext:
        scene.activate(scene.files.identity("alpha", scene.alpha, hosts=["*.test"]))
        return scene.context()

    def test_nginx_cve_2025_23419_resumption_across_names(
        self, dial: Dial, scene: Scene, forgetful_server: TlsServer
    ) -> None:
        """Both hosts get the same identity: host A's session is not offered to host B."""
        context = self._activate(scene)
        first = dial(context, forgetful_server, ALPHA_HOST)
        second = dial(context, forgetful_server, BETA_HOST, first.session)
        assert (scene.alpha.fingerprint, False) == second.sight

    def test_twin_same_name(self, dial: Dial, scene: Scene, forgetful_server: TlsServer) -> None:
        """The twin: the host's own session is resumed."""
        context = self._activate(scene)
        first = dial(context, forgetful_server, ALPHA_HOST)
        second = dial(context, forgetful_server, ALPHA_HOST, first.session)
        assert (scene.alpha.fingerprint, True) == second.sight


@pytest.fixture
def forgetful_server(scene: Scene) -> TlsServer:
    """A server that does not look at the name when it is offered a session, as nginx did."""
    scene.server._end._context.sni_callback = None
    return scene.server


@each_way
class TestNodeGhsa98vx_jqrx_7mq2:
    """A session spared the next connection the check of the host."""

    @pytest.fixture
    def server(
        self, scene: Scene, tls_server: ServerFactory[TlsServer], tls_version: TlsVersion
    ) -> TlsServer:
        """A server whose certificate is for ALPHA_HOST alone, whatever it is asked for."""
        leaf = scene.authority.issue("server", hosts=[ALPHA_HOST])
        return tls_server(leaf=leaf, version=tls_version)

    def test_node_ghsa_98vx_jqrx_7mq2_reuse_skips_host_verification(
        self, dial: Dial, scene: Scene, server: TlsServer
    ) -> None:
        """A wrong-host certificate after a good session is refused, as it is without one."""
        scene.activate(scene.files.identity("alpha", scene.alpha, hosts=["*.test"]))
        context = scene.context()
        good = dial(context, server, ALPHA_HOST)
        for session in (None, good.session):
            with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
                dial(context, server, BETA_HOST, session)
        assert [scene.alpha.fingerprint] == [seen.fingerprint for seen in server.seen]

    def test_session_that_nobody_verified(
        self, dial: Dial, scene: Scene, server: TlsServer
    ) -> None:
        """A session of a context that verifies nothing is not resumed by one that does."""
        scene.activate(scene.files.identity("alpha", scene.alpha, hosts=["*.test"]))
        careless, careful = scene.context(), scene.context()
        careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
        unverified = dial(careless, server, BETA_HOST)
        with pytest.raises(ValueError, match="different SSLContext"):
            dial(careful, server, BETA_HOST, unverified.session)
        assert 1 == len(server.seen)

    def test_twin_right_host(self, dial: Dial, scene: Scene, server: TlsServer) -> None:
        """The twin: the right host is reached with its session."""
        scene.activate(scene.files.identity("alpha", scene.alpha, hosts=["*.test"]))
        context = scene.context()
        good = dial(context, server, ALPHA_HOST)
        assert (scene.alpha.fingerprint, True) == dial(
            context, server, ALPHA_HOST, good.session
        ).sight


PROXY_HOST = "proxy.test"


def _by_urllib3(proxy_url: str, urls: list[str], context: ssl.SSLContext) -> list[Any]:
    import urllib3

    with urllib3.ProxyManager(
        proxy_url, proxy_ssl_context=context, ssl_context=context, retries=False, timeout=TIMEOUT
    ) as manager:
        return [json.loads(manager.request("GET", url).data) for url in urls]


def _by_httpx(proxy_url: str, urls: list[str], context: ssl.SSLContext) -> list[Any]:
    import httpx

    proxy = httpx.Proxy(proxy_url, ssl_context=context)
    with httpx.Client(proxy=proxy, verify=context, timeout=TIMEOUT) as client:
        return [client.get(url).json() for url in urls]


class TestCurlCve2021_22890:
    """With an HTTPS proxy and TLS 1.3 the proxy's session was used for the host behind it."""

    @pytest.fixture
    def proxy(self, scene: Scene, tls_proxy: Proxies, tls_version: TlsVersion) -> ConnectProxy:
        """A TLS proxy that shares its session keys with the host behind, and its certificate."""
        proxy = tls_proxy(hosts=[PROXY_HOST, *HOSTS], version=tls_version)
        assert proxy._end is not None
        scene.server._end._context = proxy._end._context
        return proxy

    def _connect(
        self, proxy: ConnectProxy, context: ssl.SSLContext, target: str, session: Any = None
    ) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", proxy.port), TIMEOUT)
        leg = context.wrap_socket(plain, server_hostname=PROXY_HOST, session=session)
        leg.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("ascii"))
        assert leg.recv(65536).startswith(b"HTTP/1.1 200 ")
        return leg

    def _activate(self, scene: Scene) -> ssl.SSLContext:
        scene.activate(scene.files.identity("alpha", scene.alpha, hosts=["*.test"]))
        return scene.context()

    def test_curl_cve_2021_22890_session_of_a_proxy_used_for_the_host_behind_it(
        self, scene: Scene, proxy: ConnectProxy
    ) -> None:
        """Both legs get the same identity, and each is offered the other's session: none fits."""
        context, target = self._activate(scene), f"{ALPHA_HOST}:{scene.server.port}"
        with self._connect(proxy, context, target) as leg:
            behind = over_stream(leg, context, ALPHA_HOST, leg.session)
        with self._connect(proxy, context, target, behind.session) as leg:
            over_stream(leg, context, ALPHA_HOST)
        alpha = scene.alpha.fingerprint
        assert (alpha, False) == behind.sight
        assert [(alpha, False)] * 2 == [(seen.fingerprint, seen.resumed) for seen in proxy.seen]

    def test_twin_each_leg_resumes_its_own(self, scene: Scene, proxy: ConnectProxy) -> None:
        """The twin: the session of the same leg is resumed, at the proxy and behind it."""
        context, target = self._activate(scene), f"{ALPHA_HOST}:{scene.server.port}"
        with self._connect(proxy, context, target) as leg:
            session, first = leg.session, over_stream(leg, context, ALPHA_HOST)
        with self._connect(proxy, context, target, session) as leg:
            second = over_stream(leg, context, ALPHA_HOST, first.session)
        assert (scene.alpha.fingerprint, True) == second.sight
        assert [False, True] == [seen.resumed for seen in proxy.seen]

    @pytest.mark.parametrize("get", [_by_urllib3, _by_httpx])
    def test_clients(
        self, get: Callable[..., list[Any]], scene: Scene, proxy: ConnectProxy
    ) -> None:
        """Clients with one context for both legs: full handshakes, and each leg gets its own."""
        scene.activate(
            scene.files.identity("alpha", scene.alpha, hosts=[ALPHA_HOST]),
            scene.files.identity("beta", scene.beta, hosts=[PROXY_HOST]),
        )
        answers = get(proxy.url(PROXY_HOST), [scene.url(), scene.url(NOBODY)], scene.context())
        seen = [(answer["fingerprint"], answer["resumed"]) for answer in answers]
        assert [(scene.alpha.fingerprint, False), (None, False)] == seen
        beta = scene.beta.fingerprint
        assert [(beta, False)] * 2 == [(seen.fingerprint, seen.resumed) for seen in proxy.seen]
