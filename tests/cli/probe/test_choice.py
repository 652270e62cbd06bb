"""``mxcert probe``: which identity it presents is what a program would."""

from __future__ import annotations

import pytest

from mxcert_runtime.cli import main
from tests.cli.probing import HOST, Probe, probe_with
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.nginx import NginxServer
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.usefixtures("loopback_names")


def test_a_server_that_asks_later(
    probe: Probe, tls_server: ServerFactory[TlsServer], alpha: Leaf
) -> None:
    """The path of the URL is asked for, and a request after the handshake is answered."""
    server = tls_server(hosts=[HOST], demand=Demand.LATER, version=TlsVersion.TLS13)

    probed = probe(server.url(HOST, "/private"))

    assert (0, alpha.fingerprint) == (probed.status, probed.presented)
    assert alpha.fingerprint == server.answers[0]["fingerprint"]


def test_a_service_decides(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
    tls_server: ServerFactory[TlsServer],
) -> None:
    """The rule of the named service goes before the host's; an unknown one is a warning."""
    usages = {HOST: alpha, "Billing.Invoices": beta}
    settings = client_files.variables(usages=usages, authorities=[authority])
    url = tls_server(hosts=[HOST]).url(HOST)
    probe = probe_with(monkeypatch, capsys, settings)

    known = probe("--service", "Billing.Invoices", url)
    unknown = probe("--service", "Billing.Invoice", url)

    assert [beta.fingerprint, alpha.fingerprint] == [known.presented, unknown.presented]
    assert [] == known.data["warnings"]
    assert "Billing.Invoice" in unknown.data["warnings"][0]


def test_the_request_and_who_fits_it(
    probe: Probe, openssl_server: ServerFactory[OpensslServer], tls_version: TlsVersion
) -> None:
    """The issuers that a server names are listed, and why an identity is of none of them."""
    other = Authority("Partner client CA")
    server = openssl_server(
        hosts=[HOST], demand=Demand.DEMAND, version=tls_version, client_authorities=[other]
    )

    probed = probe(f"https://{HOST}:{server.port}/")

    assert (1, [other.subject]) == (probed.status, probed.data["request"]["issuers"])
    assert [False] == [each["fits"] for each in probed.data["request"]["identities"]]
    assert "no issuer of its chain is accepted" in probed.remedy


def test_the_request_chooses(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    nginx_server: ServerFactory[NginxServer],
    tls_version: TlsVersion,
) -> None:
    """Without a rule the server's request chooses; what it chose is seen and told."""
    other = Authority("Partner client CA")
    orders = other.issue("orders", server=False)
    settings = client_files.variables(alpha, orders, authorities=[authority])
    server = nginx_server(
        hosts=[HOST], demand=Demand.DEMAND, version=tls_version, client_authorities=[other]
    )

    probed = probe_with(monkeypatch, capsys, settings)(f"https://{HOST}:{server.port}/")

    assert "server-request" == probed.data["decision"]["choice"]
    assert [False, True] == [each["fits"] for each in probed.data["request"]["identities"]]
    assert (0, orders.fingerprint) == (probed.status, probed.presented)


def test_broken_settings_connect_nowhere(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tls_server: ServerFactory[TlsServer],
) -> None:
    """Settings that cannot be used are told, and nothing is connected."""
    server = tls_server(hosts=[HOST])
    monkeypatch.setenv("ClientCertificates", "/nonexistent/client.p12")

    assert 1 == main(["probe", server.url(HOST)])
    assert "/nonexistent/client.p12" in capsys.readouterr().err
    assert 0 == server.connections


def test_without_settings(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tls_server: ServerFactory[TlsServer],
) -> None:
    """As the program would: default trust only, so that the test's server is not trusted."""
    probed = probe_with(monkeypatch, capsys, {"MXCERT_DISABLE": "1"})(
        tls_server(hosts=[HOST]).url(HOST)
    )

    assert (1, False, "MXCERT_DISABLE=1") == (
        probed.status,
        probed.data["active"],
        probed.data["decision"]["reason"],
    )
