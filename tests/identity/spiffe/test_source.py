"""SVIDs in real handshakes: what the server sees, and which servers a bundle lets pass."""

from __future__ import annotations

import base64
import json
import logging
import ssl
import subprocess
import sys
import threading
import traceback
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.errors import IdentityError, SettingsError
from mxcert_runtime.identity.spiffe.agent import agent_at
from mxcert_runtime.identity.spiffe.source import SpiffeSource
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.server_tls import Demand
from tests.support.spiffe import AgentProcess, TrustDomain
from tests.support.subprocesses import client_environment
from tests.support.tls_server import TlsServer

HOST = "localhost"


def settings(agent: AgentProcess, *, host: str = HOST, **options: Any) -> dict[str, Any]:
    """One identity that the agent gives."""
    source = {"kind": "spiffe", "socket": agent.url, **options}
    return {"identity": [{"name": "web", "source": source, "hosts": [host]}]}


def problem_of(given: dict[str, Any]) -> str:
    """The one fault of settings that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        mxcert_runtime.activate(given)
    [fault] = caught.value.faults
    return str(fault)


@pytest.fixture
def svid(agent: AgentProcess, domain: TrustDomain) -> Leaf:
    """What the agent gives."""
    leaf = domain.issue("web")
    agent.send(domain.svid("web", leaf))
    return leaf


@pytest.fixture
def other_domain() -> TrustDomain:
    """Another trust domain, federated or not."""
    return TrustDomain("other.test")


def server_of(
    domain: TrustDomain, tls_server: ServerFactory[TlsServer], clients: TrustDomain
) -> TlsServer:
    """A workload of a domain that serves, and demands an SVID of the other one."""
    leaf = domain.issue("server", hosts=[HOST])
    return tls_server(leaf=leaf, demand=Demand.DEMAND, client_authorities=[clients.authority])


def trusting(*authorities: Authority) -> ssl.SSLContext:
    """A program's context, whose own CAs a bundle takes the place of."""
    return plain_context(authorities[0] if authorities else Authority("Nobody's root"))


def test_the_server_sees_the_svid(
    agent: AgentProcess, svid: Leaf, domain: TrustDomain, tls_server: ServerFactory[TlsServer]
) -> None:
    """Both sides trust the domain's bundle alone; the program's own context knows none of it."""
    server = server_of(domain, tls_server, domain)
    mxcert_runtime.activate(settings(agent))
    assert svid.fingerprint == fetch(server.url(), trusting())["fingerprint"]


def test_the_socket_of_the_environment(
    agent: AgentProcess,
    svid: Leaf,
    domain: TrustDomain,
    tls_server: ServerFactory[TlsServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``SPIFFE_ENDPOINT_SOCKET`` counts where the settings name none."""
    server = server_of(domain, tls_server, domain)
    given = settings(agent)
    del given["identity"][0]["source"]["socket"]
    assert "SPIFFE_ENDPOINT_SOCKET" in problem_of(given)
    monkeypatch.setenv("SPIFFE_ENDPOINT_SOCKET", agent.url)
    mxcert_runtime.activate(given)
    assert svid.fingerprint == fetch(server.url(), trusting())["fingerprint"]


def test_a_spiffe_id_is_chosen(
    agent: AgentProcess, domain: TrustDomain, tls_server: ServerFactory[TlsServer]
) -> None:
    """Of several SVIDs the one of this ID, else the first; one that is not there is a fault."""
    server = server_of(domain, tls_server, domain)
    leaves = {path: domain.issue(path) for path in ("first", "second")}
    agent.send(*(domain.svid(path, leaf) for path, leaf in leaves.items()))
    for options, path in [({}, "first"), ({"id": domain.id_of("second")}, "second")]:
        mxcert_runtime.activate(settings(agent, **options))
        assert leaves[path].fingerprint == fetch(server.url(), trusting())["fingerprint"]
    problem = problem_of(settings(agent, id=domain.id_of("third")))
    assert domain.id_of("first") in problem


def test_only_the_bundle_verifies_its_hosts(
    agent: AgentProcess,
    svid: Leaf,
    other_domain: TrustDomain,
    domain: TrustDomain,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
) -> None:
    """A server of another CA is refused, although the program itself trusts that CA."""
    del svid
    mxcert_runtime.activate(settings(agent))
    public = tls_server(demand=Demand.ACCEPT)
    foreign = server_of(other_domain, tls_server, domain)
    for server, trusted in [(public, authority), (foreign, other_domain.authority)]:
        with pytest.raises(ssl.SSLCertVerificationError):
            fetch(server.url(), trusting(trusted))
    assert [] == list(public.answers)


def test_the_host_name_is_verified_as_ever(
    agent: AgentProcess, svid: Leaf, domain: TrustDomain, tls_server: ServerFactory[TlsServer]
) -> None:
    """A workload of the domain without the host's name is not the host."""
    del svid
    nameless = tls_server(
        leaf=domain.issue("other", hosts=["elsewhere.test"]),
        demand=Demand.DEMAND,
        client_authorities=[domain.authority],
    )
    mxcert_runtime.activate(settings(agent))
    with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname mismatch"):
        fetch(nameless.url(), trusting(domain.authority))


def test_a_federated_domain(
    agent: AgentProcess,
    domain: TrustDomain,
    other_domain: TrustDomain,
    tls_server: ServerFactory[TlsServer],
) -> None:
    """``trust_domain`` names whose CAs count for the hosts, and then the own domain's do not."""
    leaf = domain.issue("web")
    federated = {"other.test": other_domain.authority.der}
    agent.send(domain.svid("web", leaf), federated=federated)
    theirs, ours = (server_of(each, tls_server, domain) for each in (other_domain, domain))
    mxcert_runtime.activate(settings(agent, trust_domain="other.test"))
    assert leaf.fingerprint == fetch(theirs.url(), trusting())["fingerprint"]
    with pytest.raises(ssl.SSLCertVerificationError):
        fetch(ours.url(), trusting(domain.authority))
    mxcert_runtime.activate(settings(agent))
    assert leaf.fingerprint == fetch(ours.url(), trusting())["fingerprint"]
    with pytest.raises(ssl.SSLCertVerificationError):
        fetch(theirs.url(), trusting(other_domain.authority))


def test_without_the_bundle_trust_stays_the_programs(
    agent: AgentProcess,
    svid: Leaf,
    domain: TrustDomain,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
) -> None:
    """``bundle = false`` gives the SVID to hosts that other CAs vouch for."""
    server = tls_server(demand=Demand.DEMAND, client_authorities=[domain.authority])
    mxcert_runtime.activate(settings(agent, bundle=False))
    assert svid.fingerprint == fetch(server.url(), trusting(authority))["fingerprint"]
    with pytest.raises(ssl.SSLCertVerificationError):
        fetch(server.url(), trusting())


def test_no_bundle_is_never_default_trust(agent: AgentProcess, domain: TrustDomain) -> None:
    """A domain whose CAs the agent does not give is a fault, and so is an empty bundle."""
    agent.send(domain.svid("web", domain.issue("web")))
    problem = problem_of(settings(agent, trust_domain="other.test"))
    assert "no CA for the trust domain other.test, but for fleet.test" in problem


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"id": "spiffe://UPPER/web"}, "is no SPIFFE ID"),
        ({"id": "spiffe://fleet.test"}, "is no SPIFFE ID"),
        ({"id": "spiffe://fleet.test/a/../b"}, "is no SPIFFE ID"),
        ({"trust_domain": "spiffe://other.test"}, "is no trust domain"),
        ({"trust_domain": "other.test", "bundle": False}, "has no use"),
        ({"server_id": "spiffe://fleet.test/server"}, "cannot be checked"),
        ({"authorized_ids": ["spiffe://fleet.test/server"]}, "cannot be checked"),
        ({"socket": "tcp://127.0.0.1:8081"}, "no path of a socket"),
        ({"socket": "unix:agent.sock"}, "no path of a socket"),
        ({"sockets": "unix:///agent.sock"}, "sockets"),
    ],
)
def test_options_that_cannot_be_used(
    options: dict[str, Any], words: str, agent: AgentProcess, svid: Leaf
) -> None:
    """Each is one fault with the place of its key; nothing is asked of the agent."""
    del svid
    problem = problem_of(settings(agent, **options))
    assert words in problem
    assert "source" in problem


def test_an_agent_that_gives_nothing(agent: AgentProcess) -> None:
    """The activation waits as long as it may, and its report says what to do."""
    agent.send()
    problem = problem_of(settings(agent, timeout=0.2))
    assert "register this workload" in problem


def test_check_shows_it_without_a_secret(
    agent: AgentProcess, svid: Leaf, tmp_path: Any, domain: TrustDomain
) -> None:
    """`mxcert check` names agent and ID, asks once, and leaves no stream behind."""
    file = tmp_path / "mxcert.json"
    file.write_text(json.dumps(settings(agent, id=domain.id_of("web"))))
    done = subprocess.run(
        [sys.executable, "-m", "mxcert_runtime", "check", "--json"],
        env=client_environment({"MXCERT_CONFIG": str(file)}, host_patterns=()),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    report = json.loads(done.stdout)
    assert (0, "") == (done.returncode, done.stderr)
    assert [svid.fingerprint] == [each["fingerprint"] for each in report["identities"]]
    shown = {each["name"]: each["value"] for each in report["settings"]}
    assert f"{domain.id_of('web')} of the SPIFFE agent at {agent.url}" == shown["identity web"]
    assert "PRIVATE" not in done.stdout


def _pieces_of_the_key(leaf: Leaf) -> list[str]:
    """What would show that key: pieces of its PEM, and its private number."""
    lines = leaf.key_pem().decode().splitlines()[1:-1]
    numbers: Any = leaf.key.private_numbers()  # type: ignore[union-attr]
    return [*lines, str(numbers.private_value), f"{numbers.private_value:x}"]


def test_no_key_is_shown(
    agent: AgentProcess, svid: Leaf, domain: TrustDomain, caplog: pytest.LogCaptureFixture
) -> None:
    """In no repr, no log, and no frame of an error of the source."""
    caplog.set_level(logging.DEBUG)
    source = SpiffeSource(agent.url, patience=20.0)
    credentials = source.read()
    update = agent_at(agent.url).read(0.0)
    told = [repr(source), repr(credentials), repr(update), repr(update.svids), str(update)]
    wrong = SpiffeSource(agent.url, spiffe_id=domain.id_of("other"))
    try:
        wrong.read()
    except IdentityError as error:
        stack = traceback.TracebackException.from_exception(error, capture_locals=True)
        told += stack.format()
    else:
        pytest.fail("an SVID that is not there was read")
    text = "".join([*told, caplog.text])
    assert "gives no spiffe://fleet.test/other" in text
    assert [] == [piece for piece in _pieces_of_the_key(svid) if piece in text]


def test_a_broken_key_is_not_shown(agent: AgentProcess, domain: TrustDomain) -> None:
    """An error over a key that cannot be read holds nothing of it, in its frames either."""
    leaf = domain.issue("web")
    broken = domain.svid("web", leaf)
    agent.send({**broken, "key": base64.b64encode(b"\x30\x20" + b"SECRETS!" * 4).decode()})
    try:
        SpiffeSource(agent.url, patience=0.0).read()
    except IdentityError as error:
        stack = traceback.TracebackException.from_exception(error, capture_locals=True)
        told = "".join(stack.format())
    else:
        pytest.fail("a key that cannot be read was read")
    assert "SECRETS!" not in told
    assert agent.url in told


def test_a_bundle_that_rotates(
    agent: AgentProcess,
    svid: Leaf,
    domain: TrustDomain,
    tls_server: ServerFactory[TlsServer],
) -> None:
    """A new CA counts from the push on, and one that has gone does not, under the same SVID."""
    new_domain = TrustDomain(domain.name)
    old, new = (
        tls_server(
            leaf=each.issue("server", hosts=[HOST]),
            demand=Demand.DEMAND,
            client_authorities=[domain.authority],
        )
        for each in (domain, new_domain)
    )
    context = trusting()

    def outcome(server: TlsServer) -> str | None:
        try:
            seen: str | None = fetch(server.url(), context)["fingerprint"]
        except ssl.SSLCertVerificationError:
            return None
        return seen

    mxcert_runtime.activate(settings(agent))
    assert (svid.fingerprint, None) == (outcome(old), outcome(new))
    roots = domain.authority.der, new_domain.authority.der
    for bundle, expected in [
        (roots[0] + roots[1], (svid.fingerprint, svid.fingerprint)),
        (roots[1], (None, svid.fingerprint)),
    ]:
        pushed = threading.Event()
        stop = agent_at(agent.url).watch(pushed.set)
        agent.send(domain.svid("web", svid, bundle))
        assert pushed.wait(TIMEOUT)
        stop()
        assert expected == (outcome(old), outcome(new))
