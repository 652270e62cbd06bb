"""pyOpenSSL: the same notes, on its own errors; and what is done once is done once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.decisions import in_force
from mxcert_runtime.monitoring import counters
from tests.clients.calls import TIMEOUT
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls, TlsVersion

from .conftest import EARLY, EXPIRED, GOOD, NOBODY, UNKNOWN, USAGE, Refusals
from .reset_server import ResetServer
from .told import HAS_NOTES, LOGGER, chain_of, facts_of, notes_of, printed, told_of, warnings_of

SSL: Any = pytest.importorskip("OpenSSL.SSL")
calls: Any = pytest.importorskip("tests.clients.openssl_calls")

ALERTS = {
    UNKNOWN: "unknown_ca",
    EXPIRED: "certificate_expired",
    EARLY: "bad_certificate",
    USAGE: "unsupported_certificate",
}


def _url(host: str, port: int) -> str:
    return f"https://{host}:{port}/"


def _failure_of(call: Callable[..., Any], *arguments: Any) -> BaseException:
    try:
        call(*arguments)
    except SSL.Error as error:
        failure: BaseException = error
        return failure
    raise AssertionError("the call did not fail")


@pytest.fixture
def ca_file(refusals: Refusals, loopback_names: LoopbackNames) -> str:
    """The file of the authority of the servers."""
    return str(refusals.files.authority(refusals.authority))


@pytest.mark.parametrize("call", [calls.over_socket, calls.over_memory], ids=lambda c: c.__name__)
def test_refused_certificates(
    call: Callable[..., Any],
    tls_version: TlsVersion,
    refusals: Refusals,
    ca_file: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Handshake or first read: rule, identity and remedy are told."""
    refusals.activate()
    told = {}
    for host in ALERTS:
        caplog.clear()
        url = _url(host, refusals.port(tls_version))
        told[host] = told_of(_failure_of(call, url, calls.trusting(ca_file)), caplog)
    assert list(ALERTS.values()) == [each[""].split("(")[-1].rstrip(")") for each in told.values()]
    for host, each in told.items():
        assert host == each["endpoint"].partition(":")[0]
        assert f"rule `{host}`" in each["decision"]
        assert refusals.leaves[host].subject in each["presented"]


def test_no_certificate(
    tls_version: TlsVersion, refusals: Refusals, ca_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The error is what it is without the plugin, and the settings are named."""
    url = _url(NOBODY, refusals.port(tls_version))
    native = _failure_of(calls.over_socket, url, calls.trusting(ca_file))
    refusals.activate()
    caplog.clear()
    error = _failure_of(calls.over_socket, url, calls.trusting(ca_file))
    assert (type(native), native.args) == (type(error), error.args)
    assert told_of(error, caplog)["presented"] == "nothing"


def test_issuers_are_told(
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    refusals: Refusals,
    ca_file: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """pyOpenSSL knows the issuers of every server, at the first failure too."""
    refusals.activate()
    server = openssl_server(hosts=[NOBODY], demand=Demand.DEMAND, version=tls_version)
    url = _url(NOBODY, server.port)
    caplog.clear()
    told = told_of(_failure_of(calls.over_socket, url, calls.trusting(ca_file)), caplog)
    assert told["the server asks for"] == "a certificate from CN=Client root,O=mxcert tests"
    assert "What fits is `usage.test`, `good.test`" in told["remedy"]


def test_server_refused(refusals: Refusals, ca_file: str, caplog: pytest.LogCaptureFixture) -> None:
    """A chain that the rule's authorities refuse."""
    foreign = refusals.files.authority(Authority("Foreign root"))
    identity = refusals.files.identity("own", refusals.leaves[GOOD], hosts=[GOOD])
    settings = {"unlisted_hosts": "none", "identity": [{**identity, "ca": [str(foreign)]}]}
    mxcert_runtime.activate(settings=settings)
    url = _url(GOOD, refusals.port(TlsVersion.TLS13))
    told = told_of(_failure_of(calls.over_socket, url, calls.trusting(ca_file)), caplog)
    assert told["trusted"] == f"the pinned CAs of the rule ({foreign})"


@pytest.mark.parametrize("host", [GOOD, NOBODY])
def test_a_read_that_is_reset(
    host: str,
    refusals: Refusals,
    client_authority: Authority,
    ca_file: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A reset is explained with care, and only where a certificate was presented."""
    refusals.activate()
    caplog.clear()
    leaf = refusals.authority.issue("server", hosts=[GOOD, NOBODY])
    tls = ServerTls(leaf, (client_authority,), Demand.ACCEPT, TlsVersion.TLS13, tickets=0)
    with ResetServer(tls) as server:
        error = _failure_of(calls.over_socket, _url(host, server.port), calls.trusting(ca_file))
    if host == GOOD:
        assert told_of(error, caplog)[""].endswith("(connection_closed)")
    else:
        assert ([], []) == (notes_of(error), warnings_of(caplog))


def _attributes_of(call: Callable[..., Any], url: str, context: Any) -> set[str]:
    """What stands on the connection of a call behind its reads."""
    made = []

    class Connection(SSL.Connection):  # type: ignore[misc]
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    original, SSL.Connection = SSL.Connection, Connection
    try:
        call(url, context)
    finally:
        SSL.Connection = original
    return set(vars(made[0]))


def test_success_leaves_nothing(
    tls_version: TlsVersion, refusals: Refusals, ca_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Behind the first read nothing watches any more."""
    refusals.activate()
    caplog.clear()
    url = _url(GOOD, refusals.port(tls_version))
    attributes = _attributes_of(calls.over_socket, url, calls.trusting(ca_file))
    assert "_mxcert_attempt" in attributes
    assert set() == attributes & {"do_handshake", "recv", "recv_into", "read", "_mxcert_watched"}
    assert [] == warnings_of(caplog)


def test_one_swap(refusals: Refusals, ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SNI and ``set_connect_state`` both decide, and the context is swapped once."""
    refusals.activate()
    swaps = []
    original = SSL.Connection.set_context

    def set_context(self: Any, context: Any) -> None:
        swaps.append(context)
        original(self, context)

    monkeypatch.setattr(SSL.Connection, "set_context", set_context)
    answer = calls.over_socket(_url(GOOD, refusals.port(TlsVersion.TLS13)), calls.trusting(ca_file))
    assert refusals.leaves[GOOD].fingerprint == answer["fingerprint"]
    assert len(swaps) == 1


def test_connections_are_counted(refusals: Refusals, ca_file: str, alpha: Leaf) -> None:
    """Each connection counts once, by its identity and rule; also where the request chooses."""
    refusals.activate()
    port = refusals.port(TlsVersion.TLS12)

    def count(identity: str | None, rule: str | None) -> int:
        return counters.connection_tally(identity, rule).value

    before = count(GOOD, GOOD), count(None, None), count("only", None)
    calls.over_socket(_url(GOOD, port), calls.trusting(ca_file))
    calls.over_socket_named_late(_url(GOOD, port), calls.trusting(ca_file))
    _failure_of(calls.over_socket, _url(NOBODY, port), calls.trusting(ca_file))
    files = refusals.files
    identities = [
        files.identity("only", alpha),
        files.identity("other", refusals.leaves[UNKNOWN]),
    ]
    mxcert_runtime.activate(settings={"identity": identities})
    calls.over_socket(_url(GOOD, port), calls.trusting(ca_file))
    after = count(GOOD, GOOD), count(None, None), count("only", None)
    assert [2, 1, 1] == [new - old for new, old in zip(after, before)]


def test_extra_authorities_are_parsed_once(
    refusals: Refusals, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every default load adds them, from certificates that were read once."""
    from OpenSSL import crypto

    refusals.activate(ca=[ca_file])
    parsed = []
    original = crypto.load_certificate

    def load(form: int, data: bytes) -> Any:
        parsed.append(data)
        return original(form, data)

    monkeypatch.setattr(crypto, "load_certificate", load)
    for _ in range(3):
        SSL.Context(SSL.TLS_CLIENT_METHOD).set_default_verify_paths()
    assert in_force.current is not None
    assert len(parsed) == 1


@pytest.fixture
def injected() -> Iterator[None]:
    """urllib3 by way of pyOpenSSL."""
    backend = pytest.importorskip("urllib3.contrib.pyopenssl")
    backend.inject_into_urllib3()
    yield
    backend.extract_from_urllib3()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("injected")
def test_requests_over_pyopenssl(
    tls_version: TlsVersion, refusals: Refusals, ca_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The chain leads down to the error that has the note."""
    import requests

    caplog.set_level(logging.WARNING, LOGGER)
    refusals.activate()
    caplog.clear()
    with pytest.raises(requests.exceptions.SSLError) as caught:
        requests.get(_url(UNKNOWN, refusals.port(tls_version)), verify=ca_file, timeout=TIMEOUT)
    noted = [x for each in chain_of(caught.value) for x in notes_of(each) if "\n" in x]
    assert [UNKNOWN] == [facts_of(w)["endpoint"].split(":")[0] for w in warnings_of(caplog)]
    if HAS_NOTES:
        assert len(noted) == 1
        assert noted[0] in printed(caught.value)
