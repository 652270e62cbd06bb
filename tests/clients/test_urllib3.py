"""urllib3, 1.26 and 2: pools, proxies and TLS in TLS, by what the servers saw."""

from __future__ import annotations

import gc
import json
import ssl
from typing import Any

import pytest
import urllib3

from tests.clients import calls
from tests.clients.calls import TIMEOUT, Call, name_of
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.hook_contract import HookContract
from tests.support.pki import Leaf
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import Demand, TlsVersion

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS
Proxies = ServerFactory[ConnectProxy]


def _seen_by(pool: Any, url: str) -> Any:
    return json.loads(pool.request("GET", url, timeout=TIMEOUT, retries=False).data)["fingerprint"]


@pytest.mark.parametrize("call", calls.URLLIB3, ids=name_of)
class TestContexts:
    def test_shared_context(self, stage: Stage, call: Call) -> None:
        """One context serves all hosts."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        answers = [call(url, context) for url in [*stage.urls, *stage.urls]]
        assert [*stage.expected, *stage.expected] == [each["fingerprint"] for each in answers]

    def test_older_context(self, stage: Stage, call: Call, old_context: ssl.SSLContext) -> None:
        """A context that is older than the activation serves all hosts."""
        stage.activate()
        answers = [call(url, old_context) for url in stage.urls]
        assert stage.expected == [answer["fingerprint"] for answer in answers]


class TestPools:
    def test_manager(self, stage: Stage) -> None:
        """A PoolManager gives each host its own, and reuses connections."""
        stage.activate()
        with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
            seen = [_seen_by(manager, url) for url in stage.urls * 3]
        assert stage.expected * 3 == seen
        assert 3 == stage.server.connections

    def test_older_manager(self, stage: Stage) -> None:
        """A PoolManager that is older than the activation does so too."""
        with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
            stage.activate()
            assert stage.expected == [_seen_by(manager, url) for url in stage.urls]

    def test_host_pool(self, stage: Stage) -> None:
        """A HTTPSConnectionPool gives its host its own."""
        stage.activate()
        for host, url in zip(HOSTS, stage.urls):
            port = stage.server.port
            with urllib3.HTTPSConnectionPool(host, port, ca_certs=stage.ca_file) as pool:
                assert stage.fingerprints[host] == _seen_by(pool, url)

    def test_server_hostname(self, stage: Stage) -> None:
        """The name that TLS verifies selects, not the address that is dialled."""
        stage.activate()
        with urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            stage.server.port,
            ca_certs=stage.ca_file,
            server_hostname=ALPHA_HOST,
            assert_hostname=ALPHA_HOST,
        ) as pool:
            assert stage.fingerprints[ALPHA_HOST] == _seen_by(pool, "/")

    def test_warm_connection(self, stage: Stage) -> None:
        """A kept connection from before the activation is closed for a host with a rule."""
        with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
            assert _seen_by(manager, stage.url(ALPHA_HOST)) is None
            stage.activate()
            seen = [_seen_by(manager, stage.url(ALPHA_HOST)) for _ in range(3)]
        assert stage.expect([ALPHA_HOST] * 3) == seen
        assert 2 == stage.server.connections

    def test_deactivated(self, stage: Stage) -> None:
        """After deactivation new connections present nothing."""
        import mxcert_runtime

        stage.activate()
        with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
            assert stage.fingerprints[ALPHA_HOST] == _seen_by(manager, stage.url(ALPHA_HOST))
        mxcert_runtime.deactivate()
        with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
            assert _seen_by(manager, stage.url(ALPHA_HOST)) is None

    def test_own_certificate_wins(
        self, stage: Stage, beta: Leaf, client_files: ClientFiles
    ) -> None:
        """``cert_file`` is presented to every host."""
        stage.activate()
        certificate, key = beta.write_pem(client_files.folder)
        with urllib3.PoolManager(
            ca_certs=stage.ca_file, cert_file=str(certificate), key_file=str(key)
        ) as manager:
            assert [beta.fingerprint] * 3 == [_seen_by(manager, url) for url in stage.urls]


class TestProxies:
    def test_plain(self, stage: Stage, plain_proxy: ConnectProxy) -> None:
        """Through an http proxy each host sees its own."""
        stage.activate()
        with urllib3.ProxyManager(plain_proxy.url(), ca_certs=stage.ca_file) as manager:
            assert stage.expected * 2 == [_seen_by(manager, url) for url in stage.urls * 2]
        assert 3 == plain_proxy.connections

    @pytest.mark.parametrize("proxy_host", HOSTS)
    def test_tls_in_tls(
        self, stage: Stage, tls_proxy: Proxies, tls_version: TlsVersion, proxy_host: str
    ) -> None:
        """Each leg is matched by its own name: the proxy's never by that of the host behind it."""
        proxy = tls_proxy(hosts=[proxy_host], version=tls_version)
        stage.activate()
        with urllib3.ProxyManager(proxy.url(proxy_host), ca_certs=stage.ca_file) as manager:
            assert stage.expected == [_seen_by(manager, url) for url in stage.urls]
        assert stage.expect([proxy_host] * 3) == [seen.fingerprint for seen in proxy.seen]

    def test_tls_proxy_that_demands(
        self, stage: Stage, tls_proxy: Proxies, tls_version: TlsVersion
    ) -> None:
        """A proxy that demands a certificate is passed with a rule, and not without one."""
        proxy = tls_proxy(hosts=HOSTS, version=tls_version, demand=Demand.DEMAND)
        stage.activate()
        with urllib3.ProxyManager(proxy.url(BETA_HOST), ca_certs=stage.ca_file) as manager:
            assert _seen_by(manager, stage.url(NOBODY)) is None
        unlisted = urllib3.ProxyManager(proxy.url(NOBODY), ca_certs=stage.ca_file)
        with unlisted, pytest.raises(urllib3.exceptions.HTTPError):
            _seen_by(unlisted, stage.url(ALPHA_HOST))

    # As below: with urllib3 1.26.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_ports_of_both_legs(
        self,
        stage: Stage,
        tls_proxy: Proxies,
        tls_version: TlsVersion,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
    ) -> None:
        """One name for proxy and host: rules with a port tell the legs apart."""
        proxy = tls_proxy(hosts=[ALPHA_HOST], version=tls_version)
        ports = {"alpha": stage.server.port, "beta": proxy.port}
        identities = [
            client_files.identity(name, leaf, hosts=[f"{ALPHA_HOST}:{ports[name]}"])
            for name, leaf in (("alpha", alpha), ("beta", beta))
        ]
        stage.activate(identity=identities)
        with urllib3.ProxyManager(proxy.url(ALPHA_HOST), ca_certs=stage.ca_file) as manager:
            assert alpha.fingerprint == _seen_by(manager, stage.url(ALPHA_HOST))
        assert [beta.fingerprint] == [seen.fingerprint for seen in proxy.seen]

    # urllib3 1.26 leaves the socket to the garbage collector, with us and without.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_bad_proxy_certificate(
        self, stage: Stage, tls_proxy: Proxies, tls_version: TlsVersion
    ) -> None:
        """A proxy whose certificate is for another name is refused, and sees nothing."""
        proxy = tls_proxy(hosts=["other.test"], version=tls_version)
        stage.activate()
        manager = urllib3.ProxyManager(proxy.url(BETA_HOST), ca_certs=stage.ca_file)
        with manager, pytest.raises(urllib3.exceptions.HTTPError):
            _seen_by(manager, stage.url(ALPHA_HOST))
        gc.collect()
        assert [] == stage.seen


class TestConnectionContract(HookContract):
    targets = (
        "urllib3.connection:HTTPSConnection.connect",
        "urllib3.connectionpool:HTTPSConnectionPool._get_conn",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import json

        import urllib3

        with urllib3.PoolManager(ca_certs=ca_file) as pool:
            return json.loads(pool.request("GET", url).data)


class TestProxyContract(HookContract):
    targets = ("urllib3.connection:HTTPSConnection._connect_tls_proxy",)

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import json
        import ssl
        from urllib.parse import urlsplit

        import urllib3

        from tests.support.pki import Authority
        from tests.support.proxy import ConnectProxy
        from tests.support.server_tls import ServerTls

        authority = Authority("Proxy root")
        context = ssl.create_default_context(cadata=authority.pem.decode("ascii"))
        tls = ServerTls(authority.issue("proxy", hosts=["localhost"]))
        with (
            ConnectProxy(tls) as proxy,
            urllib3.ProxyManager(
                f"https://localhost:{proxy.port}", proxy_ssl_context=context, ca_certs=ca_file
            ) as pool,
        ):
            assert urlsplit(url).scheme == "https"
            return json.loads(pool.request("GET", url).data)
