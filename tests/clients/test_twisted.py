"""Twisted, whose host names are verified in callbacks of pyOpenSSL, by what the server saw."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

pytest.importorskip("OpenSSL")
pytest.importorskip("twisted")
pytest.importorskip("service_identity")

from tests.clients.stage import HOSTS
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS
VERSIONS = (TlsVersion.TLS12, TlsVersion.TLS13)
TlsServers = ServerFactory[TlsServer]

PROGRAM = """
import json, sys
if sys.argv[1] == "plugin":
    import mxcert_runtime
from twisted.internet import defer, ssl, task
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, readBody

def agent_of(reactor, ca_file):
    with open(ca_file, "rb") as file:
        trusted = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(file.read())])
    return Agent(reactor, BrowserLikePolicyForHTTPS(trusted), connectTimeout=30)

@defer.inlineCallbacks
def main(reactor):
    answers = []
    for ca_file, url in zip(sys.argv[2::2], sys.argv[3::2]):
        try:
            response = yield agent_of(reactor, ca_file).request(b"GET", url.encode("ascii"))
            body = json.loads((yield readBody(response)))
            answers.append([body["fingerprint"], body["sni"]])
        except Exception as error:
            reasons = getattr(error, "reasons", [])
            answers.append([type(error).__name__, [each.type.__name__ for each in reasons]])
    print(json.dumps(answers))

task.react(main)
"""


def _ask(environment: dict[str, str], *calls: str) -> tuple[Any, Any]:
    """What Twisted's Agent answers with the plugin, and without; a call is a CA file and a URL."""
    with_plugin, plain = (
        run_client(PROGRAM, mode, *calls, environment=environment).json()
        for mode in ("plugin", "plain")
    )
    return with_plugin, plain


@pytest.fixture
def ca_file(client_files: ClientFiles, authority: Authority) -> str:
    return str(client_files.authority(authority))


def test_right_servers(
    tls_server: TlsServers, client_files: ClientFiles, ca_file: str, alpha: Leaf, beta: Leaf
) -> None:
    """Each host gets its own identity, by the name that the server was told."""
    servers = [tls_server(hosts=HOSTS, version=version) for version in VERSIONS]
    environment = {
        **client_files.variables(usages={ALPHA_HOST: alpha, BETA_HOST: beta}),
        "MXCERT_UNLISTED_HOSTS": "none",
    }
    calls = [(ca_file, server.url(host)) for server in servers for host in HOSTS]
    answers, plain = _ask(environment, *itertools.chain(*calls))
    expected = [[alpha.fingerprint, ALPHA_HOST], [beta.fingerprint, BETA_HOST], [None, NOBODY]]
    assert expected * 2 == answers
    assert [[None, host] for host in HOSTS] * 2 == plain


def test_wrong_servers(
    tls_server: TlsServers, client_files: ClientFiles, ca_file: str, alpha: Leaf
) -> None:
    """A server with another name, and one of an unknown authority, are refused as without us."""
    unknown = str(client_files.authority(Authority("Unknown root")))
    kinds = list(itertools.product(VERSIONS, (Demand.ACCEPT, Demand.ASK_NOT)))
    others = [tls_server(hosts=["other.test"], version=v, demand=demand) for v, demand in kinds]
    rights = [tls_server(hosts=HOSTS, version=v, demand=demand) for v, demand in kinds]
    calls = [(ca_file, server.url(ALPHA_HOST)) for server in others]
    calls += [(unknown, server.url(ALPHA_HOST)) for server in rights]
    answers, plain = _ask(client_files.variables(alpha), *itertools.chain(*calls))
    assert plain == answers
    assert [["ResponseNeverReceived", ["VerificationError"]]] * 4 == answers[:4]
    assert [["ResponseNeverReceived", ["Error"]]] * 4 == answers[4:]
    assert [] == [answer for server in (*others, *rights) for answer in server.answers]


def test_ports(
    tls_server: TlsServers, client_files: ClientFiles, ca_file: str, alpha: Leaf
) -> None:
    """A rule for a port is for the server there, and for no other on the same host."""
    servers = [tls_server(hosts=HOSTS, version=version) for version in VERSIONS]
    environment = {
        **client_files.variables(usages={f"{ALPHA_HOST}:{servers[0].port}": alpha}),
        "MXCERT_UNLISTED_HOSTS": "none",
    }
    calls = [(ca_file, server.url(ALPHA_HOST)) for server in servers]
    answers, plain = _ask(environment, *itertools.chain(*calls))
    assert [[alpha.fingerprint, ALPHA_HOST], [None, ALPHA_HOST]] == answers
    assert [[None, ALPHA_HOST]] * 2 == plain
