"""``mxcert probe`` against real servers: what it saw, what it says, and that it weakens nothing."""

from __future__ import annotations

import base64
import functools
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mxcert_runtime.cli import main
from tests.cli.probing import Probe, ScriptedServer, probe_with
from tests.cli.processes import MODULE, command_environment, run_command
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames, variables_for
from tests.support.nginx import NginxServer
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import Demand, ServerTls, TlsVersion
from tests.support.subprocesses import ROOT
from tests.support.tls_server import TlsServer

HOST = "partner.example"

pytestmark = pytest.mark.usefixtures("loopback_names")


@pytest.fixture
def alpha_settings(client_files: ClientFiles, alpha: Leaf, authority: Authority) -> dict[str, str]:
    """The host has alpha's identity, and the servers' authority is trusted."""
    return client_files.variables(alpha, usages={HOST: alpha}, authorities=[authority])


@pytest.fixture
def probe(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    alpha_settings: dict[str, str],
) -> Probe:
    """Probes with these settings."""
    return probe_with(monkeypatch, capsys, alpha_settings)


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


def test_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
    tls_server: ServerFactory[TlsServer],
    plain_proxy: ConnectProxy,
) -> None:
    """The tunnel is one step; a rule with a port goes by the server's, not by the proxy's."""
    server = tls_server(hosts=[HOST], demand=Demand.DEMAND)
    usages = {f"{HOST}:{server.port}": beta, f"{HOST}:{plain_proxy.port}": alpha}
    settings = client_files.variables(usages=usages, authorities=[authority])
    proxy = f"http://user:pass%20word@localhost:{plain_proxy.port}"

    probed = probe_with(monkeypatch, capsys, settings)("--proxy", proxy, server.url(HOST))

    assert (0, beta.fingerprint) == (probed.status, probed.presented)
    assert [f"{HOST}:{server.port}"] == list(plain_proxy.tunnels)
    assert "proxy tunnel" in probed.steps
    assert "pass" not in str(probed.data)


def test_a_proxy_that_wants_a_password(server_stack: ExitStack, probe: Probe) -> None:
    """It gets user and password as Basic, and they are shown nowhere, not in an error either."""
    proxy = ScriptedServer(server_stack, [])
    refusing = b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n"
    asked = _AnsweringProxy(server_stack, refusing)

    probed = probe("--proxy", f"http://user:s3cret@localhost:{asked.port}", f"https://{HOST}/")
    closed = probe("--proxy", f"http://user:s3cret@localhost:{proxy.port}", f"https://{HOST}/")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert "user and password" in probed.data["verdict"]["text"]
    encoded = base64.b64encode(b"user:s3cret").decode("ascii")
    assert f"Basic {encoded}" in asked.heads[0]
    assert (1, "no-connection") == (closed.status, closed.outcome)
    assert "s3cret" not in f"{probed.data}{closed.data}"
    assert encoded not in f"{probed.data}{closed.data}"


class _AnsweringProxy(ConnectProxy):
    """Reads the whole head of a request and gives one answer."""

    def __init__(self, stack: ExitStack, answer: bytes) -> None:
        super().__init__()
        self._answer = answer
        self.heads: list[str] = []
        stack.enter_context(self)

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        self.heads.append(head.decode("ascii"))
        client.sendall(self._answer)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["ssh://partner.example"], "scheme"),
        (["tls://partner.example"], "port"),
        (["https://"], "host"),
        (["https://user:s3cret@partner.example:99999/"], "valid port"),
        (["https://user:s3cret@[partner/"], "valid URL"),
        (["--proxy", "https://user:s3cret@proxy.example", "partner.example"], "plain HTTP"),
    ],
)
def test_wrong_use(capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str) -> None:
    """Told on stderr with exit status 2, without what may be a password in a URL."""
    assert 2 == main(["probe", *arguments])

    printed = capsys.readouterr()
    assert problem in printed.err
    assert "s3cret" not in printed.err + printed.out


def test_nobody_listens(probe: Probe) -> None:
    """No connection: said as that, with nothing about certificates."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # taken, but not listening
        probed = probe(f"https://127.0.0.1:{unused.getsockname()[1]}/")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert ["name resolution", "TCP connect"] == probed.steps


def test_a_name_without_an_address(
    probe: Probe, loopback_names: LoopbackNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads nowhere ends it at the first step."""
    monkeypatch.setattr(loopback_names, "_addresses", ())

    probed = probe(f"https://{HOST}/")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert ["name resolution"] == probed.steps


@pytest.mark.parametrize("answers", [[], [b"220 hello\r\n"]], ids=["closes", "speaks no TLS"])
def test_what_is_no_tls(probe: Probe, server_stack: ExitStack, answers: list[bytes]) -> None:
    """A peer without TLS is told apart from a server that refuses a certificate."""
    server = ScriptedServer(server_stack, answers)

    probed = probe(f"https://{HOST}:{server.port}/")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert "the scheme" in probed.remedy


def test_a_peer_that_keeps_silent(
    capsys: pytest.CaptureFixture[str], server_stack: ExitStack
) -> None:
    """The timeout bounds each wait."""
    listening = server_stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    url = f"https://127.0.0.1:{listening.getsockname()[1]}/"

    assert 1 == main(["probe", "--timeout", "0.05", url])
    assert "no answer within 0.05 s" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["1e300", "86401", "0", "-1", "nan", "inf", "soon"])
def test_a_timeout_that_is_none(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What no socket can wait is wrong use, and nothing is printed where JSON is expected."""
    with pytest.raises(SystemExit) as raised:
        main(["probe", "--json", "--timeout", seconds, "https://127.0.0.1:1/"])
    assert (2, "") == (raised.value.code, capsys.readouterr().out)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal there")
def test_where_a_server_hangs_is_seen(tmp_path: Path, server_stack: ExitStack) -> None:
    """Each step is on the screen before it is over; Ctrl-C ends the wait, and the last line."""
    listening = server_stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
    probe = subprocess.Popen(
        [*MODULE, "probe", "--timeout", "60", url],
        env=command_environment(tmp_path, {"SSL_CERT_FILE": "/nonexistent"}),
        stdout=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, a shell lets all of them ignore it.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    with probe:
        assert probe.stdout is not None
        printed = ""
        while "TLS handshake" not in printed:
            character = probe.stdout.read(1)
            assert character, f"it has ended: {printed}"
            printed += character
        # Sent by then, it sits and waits. An interrupt within the message callback, of Python's
        # own making, is raised when the handshake ends, and not before.
        accepted, _ = listening.accept()
        server_stack.enter_context(accepted).recv(1)
        probe.send_signal(signal.SIGINT)
        printed += probe.stdout.read()
    assert 130 == probe.returncode
    lines = printed.splitlines()
    names = ["name resolution", "TCP connect", "TLS set-up", "TLS handshake"]
    assert names == [line[2:17].strip() for line in lines[-4:]]
    assert lines[-1].endswith("ms  interrupted")


def test_closed_after_the_certificate(
    probe: Probe, server_stack: ExitStack, authority: Authority, client_authority: Authority
) -> None:
    """A server that hangs up instead of answering: a refusal, with who to ask."""
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
