"""``mxcert probe`` of real servers: what each saw, what is said of it, and what to do."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cli.probing import HOST, Probe, ScriptedServer, probe_with, wait_for_refusals
from tests.cli.processes import run_command
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import variables_for
from tests.support.nginx import NginxServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls, TlsVersion
from tests.support.subprocesses import ROOT
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.usefixtures("loopback_names")


def test_taken(
    probe: Probe, tls_server: ServerFactory[TlsServer], tls_version: TlsVersion, alpha: Leaf
) -> None:
    """What the server saw is what the report says; each step is there and has its time."""
    server = tls_server(hosts=[HOST], demand=Demand.DEMAND, version=tls_version)

    probed = probe(server.url(HOST, "/private?a=b"))

    assert (0, "taken") == (probed.status, probed.outcome)
    assert [alpha.fingerprint] == [seen.fingerprint for seen in server.seen]
    assert alpha.fingerprint == probed.presented
    assert tls_version.value == probed.data["tls"]["version"]
    assert "HTTP/1.1 200 OK" == probed.data["answer"]
    assert ("HEAD", "/private?a=b") == (server.answers[0]["method"], server.answers[0]["path"])
    expected = ["name resolution", "TCP connect", "TLS set-up", "TLS handshake", "first answer"]
    assert expected == probed.steps
    assert all(step["ms"] > 0 for step in probed.data["steps"])


@pytest.mark.parametrize("trust", ["the extra CAs", "default trust", "the pinned CAs of the rule"])
def test_who_vouches(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    tls_server: ServerFactory[TlsServer],
    trust: str,
) -> None:
    """The authority that the server's chain ends in is named, and which trust it is of."""
    own = [authority] if trust == "the pinned CAs of the rule" else []
    identity = client_files.identity("alpha", alpha, hosts=[HOST], authorities=own)
    ca_file = str(client_files.authority(authority))
    file = client_files.folder / "settings.json"
    extra = {"ca": [ca_file]} if trust == "the extra CAs" else {}
    file.write_text(json.dumps({"identity": [identity], **extra}), encoding="utf-8")
    default = {"SSL_CERT_FILE": ca_file} if trust == "default trust" else {}
    settings = {"MXCERT_CONFIG": str(file), **default}
    leaf = authority.intermediate().issue("server", hosts=[HOST])

    probed = probe_with(monkeypatch, capsys, settings)(tls_server(leaf=leaf).url(HOST))

    expected = {"trust": trust, "authority": authority.subject}
    assert expected == probed.data["server"]["vouched_for_by"]
    assert 2 == len(probed.data["server"]["chain"])
    assert [HOST] == probed.data["server"]["chain"][0]["names"]


@pytest.mark.parametrize("hosts", [[], [HOST]], ids=["the subject", "an alternative name"])
def test_a_host_in_the_subject_alone(
    probe: Probe, tls_server: ServerFactory[TlsServer], authority: Authority, hosts: list[str]
) -> None:
    """It is taken, and said to be what requests and urllib3 refuse; any other is not."""
    probed = probe(tls_server(leaf=authority.issue(HOST, hosts=hosts)).url(HOST))

    assert (0, hosts) == (probed.status, probed.data["server"]["chain"][0]["names"])
    told = [each for each in probed.data["warnings"] if "subject alternative name" in each]
    assert (not hosts) == bool(told)


def test_refused_for_its_authority(
    probe: Probe, tls_server: ServerFactory[TlsServer], tls_version: TlsVersion, alpha: Leaf
) -> None:
    """A server that does not know the issuer: its alert in words, what was presented, a remedy."""
    others = [Authority("Other root")]
    server = tls_server(
        hosts=[HOST], demand=Demand.DEMAND, version=tls_version, client_authorities=others
    )

    probed = probe(server.url(HOST))

    assert (1, "refused") == (probed.status, probed.outcome)
    assert ("unknown_ca", 48) == (probed.data["alert"]["name"], probed.data["alert"]["number"])
    assert alpha.fingerprint == probed.presented
    assert "ask its operator" in probed.remedy


def test_refused_for_want_of_a_certificate(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
) -> None:
    """A rule that says none, and a server that demands one: the remedy names what would fit."""
    settings = client_files.variables(alpha, usages={HOST: None}, authorities=[authority])
    server = tls_server(hosts=[HOST], demand=Demand.DEMAND, version=tls_version)

    probed = probe_with(monkeypatch, capsys, settings)(server.url(HOST))

    number = 116 if tls_version is TlsVersion.TLS13 else 40
    assert (1, number) == (probed.status, probed.data["alert"]["number"])
    assert "asked for a client certificate, got none" in probed.data["verdict"]["text"]
    assert ([], None) == (probed.data["warnings"], probed.presented)
    assert client_files.pkcs12(alpha).name in probed.remedy


def test_a_server_that_is_not_trusted(
    probe: Probe, tls_server: ServerFactory[TlsServer], tls_version: TlsVersion
) -> None:
    """Refused, and its chain is shown: from the one connection, on which nothing was presented."""
    stranger = Authority("Strange root").issue("server", hosts=[HOST])
    server = tls_server(leaf=stranger, demand=Demand.DEMAND, version=tls_version)

    probed = probe(server.url(HOST))

    assert (1, "server-refused") == (probed.status, probed.outcome)
    chain = probed.data["server"]["chain"]
    assert [stranger.fingerprint] == [each["fingerprint"] for each in chain]
    assert probed.data["server"]["vouched_for_by"] is None
    assert probed.presented is None
    assert 1 == len(server.failures.wait_for(1))
    assert (1, 0, 0) == (server.connections, len(server.seen), len(server.answers))


def test_a_server_of_another_name(
    probe: Probe, tls_server: ServerFactory[TlsServer], authority: Authority
) -> None:
    """The host name is checked as always."""
    probed = probe(tls_server(leaf=authority.issue("other", hosts=["other.example"])).url(HOST))

    assert (1, "server-refused") == (probed.status, probed.outcome)
    assert "another host name" in probed.data["verdict"]["text"]


def test_a_server_that_does_not_ask(probe: Probe, tls_server: ServerFactory[TlsServer]) -> None:
    """No fault, but it is said that nothing was presented."""
    probed = probe(tls_server(hosts=[HOST], demand=Demand.ASK_NOT).url(HOST))

    assert (0, "taken") == (probed.status, probed.outcome)
    assert probed.data["request"] is None
    assert "asked for no client certificate" in probed.data["verdict"]["text"]


def test_a_server_that_refuses_by_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    authority: Authority,
    nginx_server: ServerFactory[NginxServer],
) -> None:
    """nginx finishes the handshake and answers 400, which is a refusal all the same."""
    settings = client_files.variables(authorities=[authority])
    server = nginx_server(hosts=[HOST], demand=Demand.DEMAND)

    probed = probe_with(monkeypatch, capsys, settings)(f"https://{HOST}:{server.port}/")

    assert (1, "refused") == (probed.status, probed.outcome)
    assert "400" in probed.data["verdict"]["text"]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the security level is 1 there")
def test_an_identity_that_openssl_refuses(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    authority: Authority,
    client_authority: Authority,
    tls_server: ServerFactory[TlsServer],
) -> None:
    """It fails before the handshake, with the reason: the connection is never made without."""
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is weak is the point
    weak = client_authority.issue("weak", server=False, signing_key=key)
    settings = client_files.variables(weak, usages={HOST: weak}, authorities=[authority])
    server = tls_server(hosts=[HOST])

    probed = probe_with(monkeypatch, capsys, settings)(server.url(HOST))

    assert (1, "not-possible", "TLS set-up") == (probed.status, probed.outcome, probed.steps[-1])
    assert "cannot be presented" in probed.data["verdict"]["text"]
    assert 0 == len(server.seen)


def test_closed_after_the_certificate(
    probe: Probe,
    server_stack: ExitStack,
    authority: Authority,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that hangs up instead of answering: a refusal, with who to ask."""
    wait_for_refusals(monkeypatch)
    leaf = authority.issue("server", hosts=[HOST])
    tls = ServerTls(leaf, (client_authority,), version=TlsVersion.TLS13)
    server = ScriptedServer(server_stack, [b""], tls)

    probed = probe(f"tls://{HOST}:{server.port}")

    assert (1, "refused") == (probed.status, probed.outcome)
    assert "connection-closed" == probed.data["alert"]["kind"]


def test_the_report_for_people(
    tmp_path_factory: pytest.TempPathFactory,
    alpha_settings: dict[str, str],
    tls_server: ServerFactory[TlsServer],
    alpha: Leaf,
) -> None:
    """In a process of its own: plain text, the verdict last, no password, nothing on stderr."""
    bootstrap = f"{ROOT / 'tests' / 'support' / 'bootstrap'}:{ROOT}"
    settings = {**alpha_settings, **variables_for(), "PYTHONPATH": bootstrap}
    server = tls_server(hosts=[HOST], demand=Demand.DEMAND)
    folder = tmp_path_factory.mktemp("temporary")

    done = run_command(folder, "probe", server.url(HOST), settings=settings)

    assert (0, "") == (done.returncode, done.stderr)
    assert alpha.subject in done.stdout
    assert done.stdout.splitlines()[-1].startswith("OK: the server took `")
    assert "correct horse" not in done.stdout
