"""Among several identities the issuers that a server names choose, in the settings' order."""

from __future__ import annotations

import datetime
import logging
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509

from tests.clients.calls import TIMEOUT, urllib_request
from tests.connections.candidates import Candidates, ContextMaker
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.nginx import NginxAnswer, NginxServer
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf, now, pem
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

OpensslServers = ServerFactory[OpensslServer]

_DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="session")
def leaves(root_a: Authority, below_b: Authority, root_c: Authority) -> dict[str, Leaf]:
    """One leaf below each root, b's two intermediates deep, and a second one of C."""
    return {
        "a": root_a.issue("a", server=False),
        "b": below_b.issue("b", server=False),
        "c": root_c.issue("c", server=False),
        "c2": root_c.issue("c2", server=False),
    }


@pytest.fixture
def candidates(client_files: ClientFiles, leaves: dict[str, Leaf]) -> Candidates:
    return Candidates(client_files, leaves)


@pytest.fixture
def roots(root_a: Authority, root_b: Authority, root_c: Authority) -> list[Authority]:
    """Whom the servers trust, whatever they name."""
    return [root_a, root_b, root_c]


@pytest.fixture
def named(root_a: Authority, below_b: Authority, root_c: Authority) -> dict[str, Authority]:
    """What servers may name."""
    upper, root_b = below_b.parents
    return {
        "A": root_a,
        "B": root_b,
        "upper B": upper,
        "lower B": below_b,
        "C": root_c,
        "unknown": Authority("Unknown"),
    }


def trusting(folder: Path, authorities: Sequence[Authority]) -> list[str]:
    """The options with which s_server trusts these, so that its others are names alone."""
    path = folder / "trusted.pem"
    path.write_bytes(pem(*(each.certificate for each in authorities)))
    return ["-verifyCAfile", str(path)]


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


def _debug_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [each.getMessage() for each in caplog.records if each.levelno == logging.DEBUG]
    return [line for line in lines if "asks for a certificate" in line]


class TestDebugLine:
    def test_nothing_fits(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        context: ssl.SSLContext,
        candidates: Candidates,
        named: dict[str, Authority],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """One line says what the server accepts, and of each identity why it does not fit."""
        server = openssl_server(version=tls_version, client_authorities=[named["unknown"]])
        candidates.activate()
        with caplog.at_level(logging.DEBUG, "mxcert_runtime"):
            assert candidates.presented_to(server, context) is None
        (line,) = _debug_lines(caplog)
        parts = ["localhost", "nothing", "CN=Unknown", "0403"]
        parts += [f"{name}: no issuer" for name in candidates.leaves]
        parts += [each.issuer.rfc4514_string() for each in _certificates(candidates)]
        assert [] == [part for part in parts if part not in line]

    def test_something_fits(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        context: ssl.SSLContext,
        candidates: Candidates,
        root_c: Authority,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The line names the identity, and why those before it did not fit; not those behind it."""
        server = openssl_server(version=tls_version, client_authorities=[root_c])
        candidates.activate()
        with caplog.at_level(logging.DEBUG, "mxcert_runtime"):
            assert "c" == candidates.presented_to(server, context)
        (line,) = _debug_lines(caplog)
        assert "gets c " in line
        assert ["a: no issuer" in line, "b: no issuer" in line, "c2" in line] == [True, True, False]

    def test_silent_otherwise(
        self,
        openssl_server: OpensslServers,
        context: ssl.SSLContext,
        candidates: Candidates,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Without debug logging nothing is said: a server may well ask in vain."""
        server = openssl_server(client_authorities=[Authority("Stranger")])
        candidates.activate()
        with caplog.at_level(logging.INFO, "mxcert_runtime"):
            caplog.clear()
            assert candidates.presented_to(server, context) is None
        assert [] == caplog.records


def _certificates(candidates: Candidates) -> list[x509.Certificate]:
    return [leaf.certificate for leaf in candidates.leaves.values()]
