"""requests: sessions, pools, redirects, proxies and threads, by what the server saw."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
import urllib3

from tests.clients.calls import TIMEOUT
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.versions_in_turns

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS


@pytest.fixture
def session(stage: Stage) -> Iterator[requests.Session]:
    """A session that trusts the server's root; it is made before the activation."""
    with requests.Session() as session:
        session.verify = stage.ca_file
        yield session


def _seen_by(session: requests.Session, stage: Stage, host: str) -> str | None:
    fingerprint: str | None = session.get(stage.url(host), timeout=TIMEOUT).json()["fingerprint"]
    return fingerprint


class TestSession:
    @pytest.mark.parametrize("order", list(itertools.permutations(HOSTS)), ids="-".join)
    def test_any_order(
        self, stage: Stage, session: requests.Session, order: tuple[str, ...]
    ) -> None:
        """One session for three hosts: each sees its own, in any order, again and again."""
        stage.activate()
        hosts = [*order, *order]
        assert stage.expect(hosts) == [_seen_by(session, stage, host) for host in hosts]

    def test_threads(self, stage: Stage, session: requests.Session) -> None:
        """Eight threads in one session: nobody ever sees another host's identity."""
        stage.activate()
        answers: list[tuple[str, str | None]] = []
        start = threading.Barrier(8)

        def work(number: int) -> None:
            start.wait(TIMEOUT)
            for turn in range(9):
                host = HOSTS[(number + turn) % 3]
                answers.append((host, _seen_by(session, stage, host)))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(6 * TIMEOUT)
        assert 72 == len(answers)
        assert set(stage.fingerprints.items()) == set(answers)

    def test_pool_is_used_as_before(self, stage: Stage, session: requests.Session) -> None:
        """Five calls to each host are one connection to each."""
        stage.activate()
        for host in HOSTS * 5:
            _seen_by(session, stage, host)
        assert 3 == stage.server.connections

    def test_get(self, stage: Stage) -> None:
        """``requests.get`` with a bundle of its own."""
        stage.activate()
        answers = [requests.get(url, verify=stage.ca_file, timeout=TIMEOUT) for url in stage.urls]
        assert stage.expected == [answer.json()["fingerprint"] for answer in answers]

    def test_extra_authorities(self, stage: Stage) -> None:
        """Authorities of the settings join requests' default trust, which the twin lacks."""
        stage.activate()
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(stage.url(ALPHA_HOST), timeout=TIMEOUT)
        stage.activate(ca=[stage.ca_file])
        answers = [requests.get(url, timeout=TIMEOUT) for url in stage.urls]
        assert stage.expected == [answer.json()["fingerprint"] for answer in answers]

    def test_explicit_bundle_gets_nothing_added(
        self, stage: Stage, client_files: ClientFiles, client_authority: Authority
    ) -> None:
        """Authorities of the settings stay out of a bundle that the caller chose."""
        stage.activate(ca=[stage.ca_file])
        other = str(client_files.authority(client_authority))
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(stage.url(ALPHA_HOST), verify=other, timeout=TIMEOUT)


class TestOwnCertificate:
    def test_wins(self, stage: Stage, beta: Leaf, tmp_path: Path) -> None:
        """``cert=`` is presented to every host, whatever the rules say."""
        stage.activate()
        cert = tuple(map(str, beta.write_pem(tmp_path)))
        with requests.Session() as session:
            session.verify, session.cert = stage.ca_file, cert
            assert [beta.fingerprint] * 3 == [_seen_by(session, stage, host) for host in HOSTS]

    def test_of_one_call_is_not_kept(
        self, stage: Stage, session: requests.Session, beta: Leaf, tmp_path: Path
    ) -> None:
        """With, without, with: each call presents what it says."""
        stage.activate()
        cert = tuple(map(str, beta.write_pem(tmp_path)))
        url, seen = stage.url(ALPHA_HOST), []
        for own in (None, cert, None, cert):
            answer = session.get(url, cert=own, timeout=TIMEOUT).json()
            seen.append(answer["fingerprint"])
        assert [stage.fingerprints[ALPHA_HOST], beta.fingerprint] * 2 == seen


class TestWithoutVerification:
    def test_identity_is_offered(self, stage: Stage) -> None:
        """``verify=False`` presents by rule all the same, with requests' usual warning."""
        stage.activate()
        seen = []
        for url in stage.urls:
            with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
                answer = requests.get(url, verify=False, timeout=TIMEOUT)  # noqa: S501
            seen.append(answer.json()["fingerprint"])
        assert stage.expected == seen

    def test_it_does_not_stick(
        self,
        stage: Stage,
        session: requests.Session,
        client_files: ClientFiles,
        client_authority: Authority,
    ) -> None:
        """Off, then on again in the same session: the server is refused."""
        stage.activate()
        session.verify = str(client_files.authority(client_authority))
        url = stage.url(ALPHA_HOST)
        with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
            session.get(url, verify=False, timeout=TIMEOUT)
        with pytest.raises(requests.exceptions.SSLError):
            session.get(url, timeout=TIMEOUT)


class TestRedirect:
    @pytest.mark.parametrize("target", [NOBODY, BETA_HOST])
    def test_another_host_gets_its_own(
        self, stage: Stage, session: requests.Session, target: str
    ) -> None:
        """A pinned host redirects: the other host gets what is its own, or nothing."""
        stage.activate()
        url = stage.url(ALPHA_HOST, f"/redirect?to={stage.url(target)}")
        answer = session.get(url, timeout=TIMEOUT).json()
        assert (target, stage.fingerprints[target]) == (answer["sni"], answer["fingerprint"])
        assert stage.expect([ALPHA_HOST, target]) == stage.seen

    def test_to_another_server(
        self,
        stage: Stage,
        session: requests.Session,
        tls_server: ServerFactory[TlsServer],
        tls_version: TlsVersion,
    ) -> None:
        """Nothing of the identity reaches an unlisted host on a server of its own."""
        stage.activate()
        evil = tls_server(hosts=["evil.test"], version=tls_version)
        url = stage.url(ALPHA_HOST, f"/redirect?to={evil.url('evil.test')}")
        assert session.get(url, timeout=TIMEOUT).json()["fingerprint"] is None
        assert [None] == [seen.fingerprint for seen in evil.seen]
        assert stage.expect([ALPHA_HOST]) == stage.seen

    def test_user_information_is_no_host(self, stage: Stage, session: requests.Session) -> None:
        """A pinned name in the user information of a URL selects nothing."""
        stage.activate()
        url = f"https://{ALPHA_HOST}:x@{NOBODY}:{stage.server.port}/"
        assert session.get(url, timeout=TIMEOUT).json()["fingerprint"] is None

    def test_letter_case(self, stage: Stage, session: requests.Session) -> None:
        """The spelling of the host does not matter."""
        stage.activate()
        assert stage.fingerprints[ALPHA_HOST] == _seen_by(session, stage, ALPHA_HOST.upper())


class TestWarmPool:
    def test_pinned_host_is_dialled_anew(self, stage: Stage, session: requests.Session) -> None:
        """A connection from before the activation is not used for a host with a rule."""
        assert _seen_by(session, stage, ALPHA_HOST) is None
        stage.activate()
        assert stage.fingerprints[ALPHA_HOST] == _seen_by(session, stage, ALPHA_HOST)
        assert 2 == stage.server.connections
        _seen_by(session, stage, ALPHA_HOST)
        assert 2 == stage.server.connections

    def test_same_settings_again(self, stage: Stage, session: requests.Session) -> None:
        """An activation that changes nothing leaves the pool as it is."""
        stage.activate()
        before = [_seen_by(session, stage, host) for host in HOSTS]
        stage.activate()
        assert before == [_seen_by(session, stage, host) for host in HOSTS]
        assert 3 == stage.server.connections

    def test_another_identity(
        self, stage: Stage, session: requests.Session, client_files: ClientFiles, beta: Leaf
    ) -> None:
        """New settings for one host: it alone is dialled anew, and sees the new identity."""
        stage.activate()
        for host in HOSTS:
            _seen_by(session, stage, host)
        stage.activate(identity=[client_files.identity("b", beta, hosts=[ALPHA_HOST, BETA_HOST])])
        assert beta.fingerprint == _seen_by(session, stage, ALPHA_HOST)
        assert beta.fingerprint == _seen_by(session, stage, BETA_HOST)
        assert _seen_by(session, stage, NOBODY) is None
        assert 4 == stage.server.connections

    def test_rule_taken_away(
        self, stage: Stage, session: requests.Session, client_files: ClientFiles, beta: Leaf
    ) -> None:
        """A connection that presented is not used where the rule is gone."""
        stage.activate()
        _seen_by(session, stage, ALPHA_HOST)
        stage.activate(identity=[client_files.identity("b", beta, hosts=[BETA_HOST])])
        assert _seen_by(session, stage, ALPHA_HOST) is None


class TestProxies:
    def test_plain(
        self, stage: Stage, session: requests.Session, plain_proxy: ConnectProxy
    ) -> None:
        """Behind an http proxy each host sees its own."""
        stage.activate()
        session.proxies = {"https": plain_proxy.url()}
        assert stage.expected == [_seen_by(session, stage, host) for host in HOSTS]
        assert 3 == len(plain_proxy.tunnels)

    def test_tls(
        self,
        stage: Stage,
        session: requests.Session,
        tls_proxy: ServerFactory[ConnectProxy],
        tls_version: TlsVersion,
    ) -> None:
        """Behind an https proxy with a rule of its own, each leg sees its own."""
        proxy = tls_proxy(hosts=[BETA_HOST], version=tls_version)
        stage.activate()
        session.proxies = {"https": proxy.url(BETA_HOST)}
        assert stage.expected == [_seen_by(session, stage, host) for host in HOSTS]
        assert stage.expect([BETA_HOST] * 3) == [seen.fingerprint for seen in proxy.seen]

    def test_warm_tunnel(
        self, stage: Stage, session: requests.Session, plain_proxy: ConnectProxy
    ) -> None:
        """A tunnel from before the activation is not used either."""
        session.proxies = {"https": plain_proxy.url()}
        assert _seen_by(session, stage, ALPHA_HOST) is None
        stage.activate()
        assert stage.fingerprints[ALPHA_HOST] == _seen_by(session, stage, ALPHA_HOST)
        assert 2 == len(plain_proxy.tunnels)


def test_many_sessions(stage: Stage, server_stack: ExitStack) -> None:
    """Sessions do not see each other's identities."""
    stage.activate()
    sessions = [server_stack.enter_context(requests.Session()) for _ in range(3)]
    for each in sessions:
        each.verify = stage.ca_file
    for host in HOSTS:
        assert stage.expect([host] * 3) == [_seen_by(each, stage, host) for each in sessions]
