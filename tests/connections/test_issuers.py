"""Among several identities the issuers that a server names choose, in the settings' order."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest

from tests.clients.calls import TIMEOUT, urllib_request
from tests.connections.candidates import Candidates, ContextMaker
from tests.connections.issuer_servers import OpensslServers, trusting
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.nginx import NginxAnswer, NginxServer
from tests.support.pki import Authority, Leaf, now
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

_DAY = datetime.timedelta(days=1)

CASES = [
    (["A"], "a"),
    (["B"], "b"),
    (["upper B"], "b"),
    (["lower B"], "b"),
    (["C"], "c"),
    (["C", "A"], "a"),
    (["unknown", "C", "B"], "b"),
    (["unknown"], None),
]


@pytest.mark.parametrize(("names", "expected"), CASES, ids=lambda value: str(value))
def test_issuers_choose(
    openssl_server: OpensslServers,
    tls_version: TlsVersion,
    client_context: ContextMaker,
    candidates: Candidates,
    roots: list[Authority],
    named: dict[str, Authority],
    tmp_path: Path,
    names: list[str],
    expected: str | None,
) -> None:
    """Root, intermediate or the leaf's own issuer; the settings' order counts, not the server's."""
    accepted = [named[name] for name in names]
    options = trusting(tmp_path, roots)
    server = openssl_server(version=tls_version, client_authorities=accepted, options=options)
    context = client_context(candidates.activate)
    assert expected == candidates.presented_to(server, context)


def test_empty_list(
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_context: ContextMaker,
    candidates: Candidates,
    roots: list[Authority],
) -> None:
    """A server that names nobody, as Python's do, gets the first of the settings."""
    server = tls_server(version=tls_version, client_authorities=roots)
    context = client_context(candidates.activate)
    assert (
        candidates.leaves["a"].fingerprint == urllib_request(server.url(), context)["fingerprint"]
    )


def test_whole_chain_is_presented(
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    context: ssl.SSLContext,
    leaves: dict[str, Leaf],
    roots: list[Authority],
) -> None:
    """The chosen identity brings its intermediates along, which this server has not."""
    swapped = Candidates(client_files, {name: leaves[name] for name in ("b", "a")})
    swapped.activate()
    server = tls_server(version=tls_version, client_authorities=roots)
    assert leaves["b"].fingerprint == urllib_request(server.url(), context)["fingerprint"]


def test_one_context_for_many_servers(
    openssl_server: OpensslServers,
    tls_version: TlsVersion,
    client_context: ContextMaker,
    candidates: Candidates,
    named: dict[str, Authority],
) -> None:
    """One context serves servers that ask for different issuers, in turns."""
    servers = [
        openssl_server(version=tls_version, client_authorities=[named[name]])
        for name in ("C", "unknown", "A")
    ]
    context = client_context(candidates.activate)
    presented = [candidates.presented_to(server, context) for server in [*servers, *servers]]
    assert ["c", None, "a"] * 2 == presented


@pytest.mark.parametrize(("position", "expected"), [(0, "a"), (1, "b"), (2, "c")])
def test_nginx(
    nginx_server: ServerFactory[NginxServer],
    tls_version: TlsVersion,
    client_context: ContextMaker,
    client_files: ClientFiles,
    leaves: dict[str, Leaf],
    roots: list[Authority],
    position: int,
    expected: str,
) -> None:
    """nginx names the roots that it trusts, and gets the identity below one."""
    # nginx accepts one intermediate, unless its configuration says more.
    below = roots[1].intermediate("Just below B").issue("b", server=False)
    candidates = Candidates(client_files, {**leaves, "b": below})
    server = nginx_server(version=tls_version, client_authorities=[roots[position]])
    answer = _ask_nginx(server, client_context(candidates.activate))
    assert answer.shows(candidates.leaves[expected])
    assert ("SUCCESS", False) == (answer.verify, answer.resumed)


def test_nginx_of_strangers(
    nginx_server: ServerFactory[NginxServer],
    tls_version: TlsVersion,
    client_context: ContextMaker,
    candidates: Candidates,
) -> None:
    """An nginx that trusts nobody of ours gets nothing."""
    server = nginx_server(version=tls_version, client_authorities=[Authority("Stranger")])
    answer = _ask_nginx(server, client_context(candidates.activate))
    assert ("NONE", "") == (answer.verify, answer.sha1_fingerprint)


def _ask_nginx(server: NginxServer, context: ssl.SSLContext) -> NginxAnswer:
    import urllib.request

    with urllib.request.urlopen(server.url(), timeout=TIMEOUT, context=context) as response:  # noqa: S310
        return NginxAnswer.parse(response.read().decode())


class TestValidity:
    @pytest.mark.parametrize(
        ("begin", "end"), [(-20 * _DAY, -_DAY), (_DAY, 20 * _DAY)], ids=["expired", "not-yet"]
    )
    def test_passed_over(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        client_files: ClientFiles,
        root_c: Authority,
        leaves: dict[str, Leaf],
        begin: datetime.timedelta,
        end: datetime.timedelta,
    ) -> None:
        """An identity outside of its validity is passed over for the next that fits."""
        stale = root_c.issue("stale", not_before=now() + begin, not_after=now() + end)
        both = Candidates(client_files, {"stale": stale, "c": leaves["c"]})
        server = openssl_server(version=tls_version, client_authorities=[root_c])
        assert "c" == both.presented_to(server, client_context(both.activate))

    def test_nothing_valid(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        client_files: ClientFiles,
        root_c: Authority,
        leaves: dict[str, Leaf],
    ) -> None:
        """Where only an expired identity would fit, none is presented."""
        stale = root_c.issue("stale", not_before=now() - 9 * _DAY, not_after=now() - _DAY)
        both = Candidates(client_files, {"stale": stale, "a": leaves["a"]})
        server = openssl_server(version=tls_version, client_authorities=[root_c])
        assert both.presented_to(server, client_context(both.activate)) is None


class TestTurnedOff:
    def test_unlisted_hosts(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        candidates: Candidates,
        roots: list[Authority],
    ) -> None:
        """``unlisted_hosts = "none"`` presents nothing, whatever the server asks for."""
        server = openssl_server(version=tls_version, client_authorities=roots)
        context = client_context(lambda: candidates.activate(unlisted_hosts="none"))
        assert candidates.presented_to(server, context) is None

    def test_own_certificate(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        candidates: Candidates,
        roots: list[Authority],
        root_a: Authority,
        tmp_path: Path,
    ) -> None:
        """The caller's own certificate is presented, although an identity would fit better."""
        own = root_a.issue("own", server=False)
        server = openssl_server(version=tls_version, client_authorities=roots)
        context = client_context(candidates.activate)
        context.load_cert_chain(*own.write_pem(tmp_path))
        assert own.fingerprint == candidates.presented_to(server, context)

    def test_rule(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        client_files: ClientFiles,
        candidates: Candidates,
        roots: list[Authority],
        leaves: dict[str, Leaf],
    ) -> None:
        """A rule of the host wins over what the request would choose."""
        server = openssl_server(version=tls_version, client_authorities=roots)
        ruled = client_files.identity("c", leaves["c"], hosts=["localhost"])
        entries = [client_files.identity("a", leaves["a"]), ruled]
        context = client_context(lambda: candidates.activate(identity=entries))
        assert "c" == candidates.presented_to(server, context)

    def test_rule_of_none(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        candidates: Candidates,
        roots: list[Authority],
    ) -> None:
        """A rule that says none wins as well."""
        server = openssl_server(version=tls_version, client_authorities=roots)
        never = {"hosts": ["localhost"]}
        context = client_context(lambda: candidates.activate(no_certificate=never))
        assert candidates.presented_to(server, context) is None
