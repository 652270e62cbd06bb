"""With the hooks in place a bad server is refused as without them, and sees no certificate."""

from __future__ import annotations

import datetime
import gc
import smtplib
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import urllib3

from tests.clients import calls
from tests.clients.calls import TIMEOUT, Call, name_of
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.mail_server import StartTlsServer
from tests.support.pki import Authority, Leaf, now
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS
DAY = datetime.timedelta(days=1)

SELF_SIGNED, MISMATCH, EXPIRED = 19, 62, 10
UNKNOWN_ISSUER = 20

# Some clients leave the socket of a refused connection to the garbage collector, with us and
# without.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.versions_in_turns,
]


@pytest.fixture(scope="module", autouse=True)
def collected() -> Iterator[None]:
    """What they left is collected before other tests run."""
    yield
    gc.collect()


@dataclass(frozen=True)
class Bad:
    """A server's certificate, and OpenSSL's codes for what is wrong with it."""

    leaf: Leaf
    codes: tuple[int, ...]


@pytest.fixture(params=["wrong authority", "wrong host", "expired"])
def bad(request: pytest.FixtureRequest, authority: Authority) -> Bad:
    """One fault in the certificate of a server for ALPHA_HOST, and nothing else wrong."""
    if request.param == "wrong authority":
        other = Authority("Server root")  # of the same name, with another key
        return Bad(other.issue("server", hosts=[ALPHA_HOST]), (SELF_SIGNED, UNKNOWN_ISSUER, 7))
    if request.param == "wrong host":
        return Bad(authority.issue("server", hosts=[f"{ALPHA_HOST}.evil.test"]), (MISMATCH,))
    begin, end = now() - 9 * DAY, now() - DAY
    leaf = authority.issue("server", hosts=[ALPHA_HOST], not_before=begin, not_after=end)
    return Bad(leaf, (EXPIRED,))


@pytest.fixture
def bad_server(
    tls_server: ServerFactory[TlsServer], bad: Bad, tls_version: TlsVersion
) -> TlsServer:
    """A server with that certificate."""
    return tls_server(leaf=bad.leaf, version=tls_version)


def _failure(call: Any, *arguments: Any) -> BaseException:
    with pytest.raises(Exception, match=r".*") as caught:
        call(*arguments)
    return caught.value


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error with what caused it, and what its arguments hold."""
    found: list[BaseException] = []
    todo = [error]
    while todo:
        each = todo.pop()
        if each is None or each in found:
            continue
        found.append(each)
        todo += [each.__cause__, each.__context__, getattr(each, "reason", None)]
        todo += [one for one in each.args if isinstance(one, BaseException)]
        found = [one for one in found if isinstance(one, BaseException)]
        todo = [one for one in todo if isinstance(one, BaseException)]
    return found


def _codes(error: BaseException) -> set[int]:
    return {getattr(each, "verify_code", 0) for each in _chain(error)} - {0}


@pytest.mark.parametrize("call", calls.ALL, ids=name_of)
class TestRefused:
    def test_as_without_us(self, stage: Stage, bad: Bad, bad_server: TlsServer, call: Call) -> None:
        """The same type of exception for the same reason, with us and without."""
        url = bad_server.url(ALPHA_HOST)
        without = _failure(call, url, ssl.create_default_context(cafile=stage.ca_file))
        stage.activate()
        with_us = _failure(call, url, ssl.create_default_context(cafile=stage.ca_file))
        assert type(without) is type(with_us)
        assert _codes(without) == _codes(with_us)
        assert _codes(with_us) <= set(bad.codes)
        assert _codes(with_us)
        assert [] == bad_server.seen

    def test_older_context(
        self,
        stage: Stage,
        bad: Bad,
        bad_server: TlsServer,
        call: Call,
        old_context: ssl.SSLContext,
    ) -> None:
        """A context that is older than the activation refuses for the same reason."""
        stage.activate()
        with_us = _failure(call, bad_server.url(ALPHA_HOST), old_context)
        assert _codes(with_us) <= set(bad.codes)
        assert _codes(with_us)
        assert [] == bad_server.seen

    def test_after_a_good_server(
        self, stage: Stage, bad: Bad, bad_server: TlsServer, call: Call
    ) -> None:
        """A context with which a good server was reached refuses a bad one of the same name."""
        stage.activate()
        context = ssl.create_default_context(cafile=stage.ca_file)
        good = call(stage.url(ALPHA_HOST), context)
        assert stage.fingerprints[ALPHA_HOST] == good["fingerprint"]
        assert _codes(_failure(call, bad_server.url(ALPHA_HOST), context)) <= set(bad.codes)
        assert [] == bad_server.seen


class TestStartTls:
    def test_smtp(
        self,
        stage: Stage,
        bad: Bad,
        smtp_server: ServerFactory[StartTlsServer],
        tls_version: TlsVersion,
    ) -> None:
        """smtplib STARTTLS refuses as without us."""
        server = smtp_server(leaf=bad.leaf, version=tls_version)
        without = _failure(_start_tls, server.port, stage.ca_file)
        stage.activate()
        with_us = _failure(_start_tls, server.port, stage.ca_file)
        assert ssl.SSLCertVerificationError is type(without) is type(with_us)
        assert _codes(without) == _codes(with_us)
        assert [] == server.seen


def _start_tls(port: int, ca_file: str) -> None:
    client = smtplib.SMTP(ALPHA_HOST, port, timeout=TIMEOUT)
    try:
        client.starttls(context=ssl.create_default_context(cafile=ca_file))
    finally:
        client.close()


def _get_by_pool(url: str, ca_file: str) -> None:
    with urllib3.PoolManager(ca_certs=ca_file) as manager:
        manager.request("GET", url, retries=False, timeout=TIMEOUT)


def _get_by_requests(url: str, ca_file: str) -> None:
    requests.get(url, verify=ca_file, timeout=TIMEOUT)


class TestBundles:
    """The clients that make a context of their own from a bundle's path."""

    @pytest.mark.parametrize("get", [_get_by_pool, _get_by_requests])
    def test_refused(self, stage: Stage, bad: Bad, bad_server: TlsServer, get: Any) -> None:
        """They refuse with the same type of exception."""
        url = bad_server.url(ALPHA_HOST)
        without = _failure(get, url, stage.ca_file)
        stage.activate()
        assert type(without) is type(_failure(get, url, stage.ca_file))
        assert isinstance(without, (urllib3.exceptions.SSLError, requests.exceptions.SSLError))

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    @pytest.mark.parametrize("get", [_get_by_pool, _get_by_requests])
    def test_refused_by_pyopenssl(
        self, stage: Stage, bad: Bad, bad_server: TlsServer, get: Any
    ) -> None:
        """So they do over pyOpenSSL."""
        pytest.importorskip("OpenSSL")
        from urllib3.contrib import pyopenssl

        url = bad_server.url(ALPHA_HOST)
        pyopenssl.inject_into_urllib3()
        try:
            without = _failure(get, url, stage.ca_file)
            stage.activate()
            assert type(without) is type(_failure(get, url, stage.ca_file))
        finally:
            pyopenssl.extract_from_urllib3()

    def test_extra_authorities_let_nobody_else_in(
        self, stage: Stage, bad: Bad, bad_server: TlsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Authorities of the settings are trusted for what they signed, and for nothing bad."""
        import urllib.error
        import urllib.request

        # The opener of the process keeps a context since Python 3.12, here from an earlier test.
        monkeypatch.setattr(urllib.request, "_opener", None)
        stage.activate(ca=[stage.ca_file])
        with urllib.request.urlopen(stage.url(ALPHA_HOST)):  # noqa: S310
            pass
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(bad_server.url(ALPHA_HOST))  # noqa: S310
        assert [] == bad_server.seen
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(bad_server.url(ALPHA_HOST), timeout=TIMEOUT)
        # urllib3 1.26 compares the name itself, after the handshake.
        if urllib3.__version__ >= "2" or MISMATCH not in bad.codes:
            assert [] == bad_server.seen


@pytest.mark.parametrize("call", calls.ALL, ids=name_of)
class TestOwnAuthorities:
    """Pinned CAs of a rule are the only ones that count for its hosts."""

    def test_replaces_trust(
        self,
        stage: Stage,
        client_files: ClientFiles,
        alpha: Leaf,
        client_authority: Authority,
        call: Call,
    ) -> None:
        """The authority that the caller trusts is refused for the rule's host, and only there."""
        rule = client_files.identity(
            "alpha", alpha, hosts=[ALPHA_HOST], authorities=[client_authority]
        )
        stage.activate(identity=[rule])
        context = ssl.create_default_context(cafile=stage.ca_file)
        refused = _codes(_failure(call, stage.url(ALPHA_HOST), context))
        assert refused <= {SELF_SIGNED, UNKNOWN_ISSUER}
        assert refused
        assert call(stage.url(NOBODY), context)["fingerprint"] is None

    @pytest.mark.skipif(sys.version_info < (3, 10), reason="Python 3.9 refuses: see its own test")
    def test_older_context(
        self,
        stage: Stage,
        client_files: ClientFiles,
        alpha: Leaf,
        client_authority: Authority,
        old_context: ssl.SSLContext,
        call: Call,
    ) -> None:
        """So it is with a context that is older than the activation."""
        rule = client_files.identity(
            "alpha", alpha, hosts=[ALPHA_HOST], authorities=[client_authority]
        )
        stage.activate(identity=[rule])
        assert _codes(_failure(call, stage.url(ALPHA_HOST), old_context))
        assert call(stage.url(NOBODY), old_context)["fingerprint"] is None
