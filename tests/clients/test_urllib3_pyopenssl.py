"""urllib3 and requests over pyOpenSSL, after ``inject_into_urllib3()``."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import urllib3

pytest.importorskip("OpenSSL")

from tests.clients.calls import TIMEOUT
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS
TlsServers = ServerFactory[TlsServer]

# pyOpenSSL deprecates what urllib3's module uses of it; that is between the two of them.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def injected() -> Iterator[None]:
    """urllib3 speaks through pyOpenSSL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from urllib3.contrib import pyopenssl
    pyopenssl.inject_into_urllib3()
    try:
        yield
    finally:
        pyopenssl.extract_from_urllib3()


def _seen_by(manager: Any, url: str) -> Any:
    answer = manager.request("GET", url, timeout=TIMEOUT, retries=False)
    return json.loads(answer.data)["fingerprint"]


def test_pyopenssl_is_used() -> None:
    """The fixture does what it says."""
    from urllib3.util import ssl_

    assert ssl_.SSLContext.__module__ == "urllib3.contrib.pyopenssl"


def test_manager(stage: Stage) -> None:
    """Three hosts in one PoolManager, again and again, each sees its own."""
    stage.activate()
    with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
        assert stage.expected * 2 == [_seen_by(manager, url) for url in stage.urls * 2]
    assert 3 == stage.server.connections


def test_older_manager(stage: Stage) -> None:
    """A warm PoolManager that is older than the activation."""
    with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
        assert [None] * 3 == [_seen_by(manager, url) for url in stage.urls]
        stage.activate()
        assert stage.expected == [_seen_by(manager, url) for url in stage.urls]


@pytest.mark.parametrize("with_port", [False, True], ids=["address", "address and port"])
def test_address(
    stage: Stage,
    tls_server: TlsServers,
    client_files: ClientFiles,
    alpha: Leaf,
    tls_version: TlsVersion,
    with_port: bool,
) -> None:
    """For an address there is no SNI; its rule selects all the same."""
    server, other = tls_server(version=tls_version), tls_server(version=tls_version)
    host = f"127.0.0.1:{server.port}" if with_port else "127.0.0.1"
    stage.activate(identity=[client_files.identity("alpha", alpha, hosts=[host])])
    with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
        assert alpha.fingerprint == _seen_by(manager, server.url("127.0.0.1"))
        expected = None if with_port else alpha.fingerprint
        assert expected == _seen_by(manager, other.url("127.0.0.1"))
        assert _seen_by(manager, stage.url(NOBODY)) is None


def test_port(
    stage: Stage,
    tls_server: TlsServers,
    client_files: ClientFiles,
    alpha: Leaf,
    tls_version: TlsVersion,
) -> None:
    """A rule with a port for a name."""
    other = tls_server(hosts=HOSTS, version=tls_version)
    rule = client_files.identity("alpha", alpha, hosts=[f"{ALPHA_HOST}:{stage.server.port}"])
    stage.activate(identity=[rule])
    with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
        assert alpha.fingerprint == _seen_by(manager, stage.url(ALPHA_HOST))
        assert _seen_by(manager, other.url(ALPHA_HOST)) is None


def test_behind_a_proxy(stage: Stage, plain_proxy: ConnectProxy) -> None:
    """Behind an http proxy each host sees its own."""
    stage.activate()
    with urllib3.ProxyManager(plain_proxy.url(), ca_certs=stage.ca_file) as manager:
        assert stage.expected == [_seen_by(manager, url) for url in stage.urls]


def test_address_behind_a_proxy(
    stage: Stage,
    plain_proxy: ConnectProxy,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
    tls_server: TlsServers,
    tls_version: TlsVersion,
) -> None:
    """An address behind a proxy: the leg counts, not the peer of the socket, which is the proxy."""
    server = tls_server(version=tls_version)
    identities = [
        client_files.identity("alpha", alpha, hosts=[f"127.0.0.1:{server.port}"]),
        client_files.identity("beta", beta, hosts=[f"127.0.0.1:{plain_proxy.port}"]),
    ]
    stage.activate(identity=identities)
    with urllib3.ProxyManager(plain_proxy.url(), ca_certs=stage.ca_file) as manager:
        assert alpha.fingerprint == _seen_by(manager, server.url("127.0.0.1"))


def test_own_certificate_wins(stage: Stage, beta: Leaf, client_files: ClientFiles) -> None:
    """``cert_file`` is presented to every host."""
    stage.activate()
    certificate, key = beta.write_pem(client_files.folder)
    with urllib3.PoolManager(
        ca_certs=stage.ca_file, cert_file=str(certificate), key_file=str(key)
    ) as manager:
        assert [beta.fingerprint] * 3 == [_seen_by(manager, url) for url in stage.urls]


def test_chain_is_sent(stage: Stage, client_files: ClientFiles, gamma: Leaf) -> None:
    """A server that trusts the root alone accepts a leaf under an intermediate."""
    stage.activate(identity=[client_files.identity("gamma", gamma, hosts=[ALPHA_HOST])])
    with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
        assert gamma.fingerprint == _seen_by(manager, stage.url(ALPHA_HOST))


def test_bad_authority(
    stage: Stage, client_files: ClientFiles, client_authority: Authority
) -> None:
    """A server of another authority is refused, with us as without."""
    other = str(client_files.authority(client_authority))
    for activate in (bool, stage.activate):
        activate()
        refused = pytest.raises(urllib3.exceptions.SSLError, match="certificate verify failed")
        with urllib3.PoolManager(ca_certs=other) as manager, refused:
            _seen_by(manager, stage.url(ALPHA_HOST))
    assert [] == stage.seen


def test_requests(stage: Stage) -> None:
    """requests.Session over pyOpenSSL."""
    stage.activate()
    with requests.Session() as session:
        session.verify = stage.ca_file
        answers = [session.get(url, timeout=TIMEOUT) for url in stage.urls]
    assert stage.expected == [answer.json()["fingerprint"] for answer in answers]


def test_extra_authorities(stage: Stage) -> None:
    """Authorities of the settings join default trust through requests' certifi."""
    stage.activate()
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(stage.url(ALPHA_HOST), timeout=TIMEOUT)
    stage.activate(ca=[stage.ca_file])
    answers = [requests.get(url, timeout=TIMEOUT) for url in stage.urls]
    assert stage.expected == [answer.json()["fingerprint"] for answer in answers]


def test_explicit_bundle_gets_nothing_added(
    stage: Stage, client_files: ClientFiles, client_authority: Authority
) -> None:
    """Authorities of the settings stay out of a bundle that the caller chose."""
    stage.activate(ca=[stage.ca_file])
    other = str(client_files.authority(client_authority))
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(stage.url(ALPHA_HOST), verify=other, timeout=TIMEOUT)


def test_pinned_cas_verify_alone(
    stage: Stage,
    client_files: ClientFiles,
    alpha: Leaf,
    authority: Authority,
    client_authority: Authority,
) -> None:
    """`ca` of a rule replaces the caller's trust for its hosts, and for no other."""

    def activate(*authorities: Authority) -> None:
        hosts = [ALPHA_HOST]
        rule = client_files.identity("alpha", alpha, hosts=hosts, authorities=authorities)
        stage.activate(identity=[rule])

    other = str(client_files.authority(client_authority))
    activate(authority)
    with urllib3.PoolManager(ca_certs=other) as manager:
        assert alpha.fingerprint == _seen_by(manager, stage.url(ALPHA_HOST))
        with pytest.raises(urllib3.exceptions.SSLError):
            _seen_by(manager, stage.url(NOBODY))
    activate(client_authority)
    with urllib3.PoolManager(ca_certs=stage.ca_file) as manager:
        with pytest.raises(urllib3.exceptions.SSLError):
            _seen_by(manager, stage.url(ALPHA_HOST))
        assert _seen_by(manager, stage.url(NOBODY)) is None
