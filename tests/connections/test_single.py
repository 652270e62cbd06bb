"""The only identity heeds the server's request too, where no rule gives it to the server."""

from __future__ import annotations

import datetime
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.errors import MxcertError
from tests.clients.calls import urllib_request
from tests.connections.candidates import Candidates, ContextMaker
from tests.connections.issuer_servers import trusting
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf, now
from tests.support.server_tls import TlsVersion
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

OpensslServers = ServerFactory[OpensslServer]
TLS12, TLS13 = TlsVersion.TLS12, TlsVersion.TLS13


@pytest.fixture(scope="session")
def leaf(below_b: Authority) -> Leaf:
    """Two intermediates below B."""
    return below_b.issue("only", server=False)


@pytest.fixture
def candidates(client_files: ClientFiles, leaf: Leaf) -> Candidates:
    """The only identity."""
    return Candidates(client_files, {"only": leaf})


@pytest.fixture(params=["a stranger", "its root", "its intermediate"])
def named(request: pytest.FixtureRequest, below_b: Authority, root_b: Authority) -> Any:
    """Whom the server names, and what it is to see."""
    named = {"a stranger": Authority("Stranger"), "its root": root_b, "its intermediate": below_b}
    return named[request.param], None if request.param == "a stranger" else "only"


class TestIssuers:
    def test_default(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        candidates: Candidates,
        named: tuple[Authority, str | None],
        root_b: Authority,
        tmp_path: Path,
    ) -> None:
        """An identity is not shown to a server that did not ask for its like."""
        accepted, expected = named
        options = trusting(tmp_path, [root_b])
        server = openssl_server(version=tls_version, client_authorities=[accepted], options=options)
        assert expected == candidates.presented_to(server, client_context(candidates.activate))

    def test_rule(
        self,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_context: ContextMaker,
        candidates: Candidates,
        client_files: ClientFiles,
        leaf: Leaf,
        named: tuple[Authority, str | None],
        root_b: Authority,
        tmp_path: Path,
    ) -> None:
        """A rule gives its identity, whatever the server names."""
        rule = client_files.identity("only", leaf, hosts=["localhost"])
        options = trusting(tmp_path, [root_b])
        server = openssl_server(version=tls_version, client_authorities=[named[0]], options=options)
        context = client_context(lambda: mxcert_runtime.activate(settings={"identity": [rule]}))
        assert "only" == candidates.presented_to(server, context)

    def test_nobody_is_named(
        self,
        tls_server: ServerFactory[TlsServer],
        tls_version: TlsVersion,
        client_context: ContextMaker,
        candidates: Candidates,
        leaf: Leaf,
        root_b: Authority,
    ) -> None:
        """A server that names no issuer, as Python's do, gets it."""
        server = tls_server(version=tls_version, client_authorities=[root_b])
        context = client_context(candidates.activate)
        assert leaf.fingerprint == urllib_request(server.url(), context)["fingerprint"]


@pytest.mark.parametrize(
    ("version", "accepted", "expected"),
    [
        (TLS12, "RSA+SHA256", None),
        (TLS13, "RSA-PSS+SHA256", None),
        (TLS12, "ECDSA+SHA256", "only"),
        (TLS13, "ECDSA+SHA256", "only"),
        (TLS13, "ECDSA+SHA384", None),
    ],
)
def test_signature_algorithms(
    openssl_server: OpensslServers,
    client_context: ContextMaker,
    candidates: Candidates,
    root_b: Authority,
    version: TlsVersion,
    accepted: str,
    expected: str | None,
) -> None:
    """Where its key cannot sign as the server accepts, nothing is presented."""
    options = ["-client_sigalgs", accepted]
    server = openssl_server(version=version, client_authorities=[root_b], options=options)
    assert expected == candidates.presented_to(server, client_context(candidates.activate))


@pytest.mark.parametrize("begin", [-20, 20], ids=["expired", "not-yet"])
def test_dates(
    openssl_server: OpensslServers,
    tls_version: TlsVersion,
    context: ssl.SSLContext,
    client_files: ClientFiles,
    root_b: Authority,
    begin: int,
) -> None:
    """Whether the only identity is valid the server judges: the clock here may be wrong."""
    days = [now() + datetime.timedelta(days=begin + more) for more in (0, 10)]
    leaf = root_b.issue("only", server=False, not_before=days[0], not_after=days[1])
    candidates = Candidates(client_files, {"only": leaf})
    candidates.activate()
    options = ["-no_check_time"]
    server = openssl_server(version=tls_version, client_authorities=[root_b], options=options)
    assert "only" == candidates.presented_to(server, context)


class TestWithoutOwner:
    """``_wrap_bio`` straight, as none of ``ssl``'s own callers does it."""

    @staticmethod
    def _wrapped(context: ssl.SSLContext, host: str) -> Any:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        return context._wrap_bio(incoming, outgoing, False, host)  # type: ignore[attr-defined]

    def test_rule(self, client_files: ClientFiles, leaf: Leaf, context: ssl.SSLContext) -> None:
        """What cannot take the identity of its rule is refused, with words."""
        rule = client_files.identity("only", leaf, hosts=["localhost"])
        mxcert_runtime.activate(settings={"identity": [rule], "unlisted_hosts": "none"})
        with pytest.raises(MxcertError, match="`wrap_bio`") as caught:
            self._wrapped(context, "localhost")
        assert isinstance(caught.value, ssl.SSLError)
        assert "only (rule `localhost`" in str(caught.value)
        assert self._wrapped(context, "other.test") is not None

    def test_default(
        self,
        candidates: Candidates,
        context: ssl.SSLContext,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """What would only have had the default's goes without, with a warning."""
        from mxcert_runtime.contexts import handover

        handover.warn_of_missing_owner.cache_clear()
        candidates.activate()
        caplog.clear()
        assert self._wrapped(context, "localhost") is not None
        assert ["a connection without an owner keeps its context, and gets no identity"] == [
            each.getMessage() for each in caplog.records if each.name == "mxcert_runtime"
        ]


_GEVENT = """
    import json, sys
    arguments = json.load(sys.stdin)
    def activate():
        import mxcert_runtime
        mxcert_runtime.activate(settings=arguments["settings"])
    if arguments["first"]:
        activate()
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from gevent import monkey
        monkey.patch_all()
    if not arguments["first"]:
        activate()
    import gevent, socket, ssl
    host, port = arguments["host"], arguments["port"]
    context = ssl.create_default_context(cafile=arguments["ca_file"])
    context.check_hostname = False
    def named():
        plain = socket.create_connection(("127.0.0.1", port))
        return context.wrap_socket(plain, server_hostname="localhost")
    def created():
        return context.wrap_socket(socket.create_connection((host, port)))
    def connected():
        plain = socket.socket()
        plain.connect((host, port))
        return context.wrap_socket(plain)
    def wrapped_first():
        connection = context.wrap_socket(socket.socket())
        connection.connect((host, port))
        return connection
    def ask(connect):
        with connect() as connection:
            connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            answer = b""
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        return json.loads(answer.partition(b"\\r\\n\\r\\n")[2])["fingerprint"]
    ways = [named, created, connected, wrapped_first]
    jobs = [gevent.spawn(ask, way) for way in ways]
    gevent.joinall(jobs, raise_error=True)
    print(json.dumps({way.__name__: job.value for way, job in zip(ways, jobs)}))
"""


Ask = Callable[..., "dict[str, str | None]"]


@pytest.mark.parametrize("first", [True, False], ids=["plugin first", "plugin last"])
class TestGevent:
    """gevent's sockets take no attribute."""

    @pytest.fixture
    def ask(
        self,
        first: bool,
        tls_server: ServerFactory[TlsServer],
        tls_version: TlsVersion,
        client_files: ClientFiles,
        authority: Authority,
        alpha: Leaf,
    ) -> Ask:
        """Asks a host in every way, where some hosts get no certificate; gives what was seen."""
        pytest.importorskip("gevent")
        server = tls_server(version=tls_version)
        ca_file = str(client_files.authority(authority))
        identity = client_files.identity("alpha", alpha)

        def ask(without: list[str], host: str) -> dict[str, str | None]:
            settings = {"identity": [identity], "no_certificate": {"hosts": without}}
            arguments = {"port": server.port, "ca_file": ca_file, "host": host, "first": first}
            stdin = json.dumps({**arguments, "settings": settings})
            seen: dict[str, str | None] = run_client(_GEVENT, stdin=stdin).json()
            return seen

        return ask

    def test_default(self, ask: Ask, alpha: Leaf) -> None:
        """Hosts without a rule get the default, in the handshake."""
        seen = ask(without=["127.0.0.1", "none.test"], host="localhost")
        assert dict.fromkeys(seen, alpha.fingerprint) == seen

    def test_names(self, ask: Ask) -> None:
        """The name that was dialled counts, and an address is none."""
        for host in ("localhost", "127.0.0.1"):
            seen = ask(without=["localhost"], host=host)
            assert dict.fromkeys(seen) == seen

    def test_a_server_that_asks_for_others(
        self,
        first: bool,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        client_files: ClientFiles,
        authority: Authority,
        alpha: Leaf,
    ) -> None:
        """The request is heeded there too."""
        pytest.importorskip("gevent")
        server = openssl_server(version=tls_version, client_authorities=[Authority("Stranger")])
        settings = {"identity": [client_files.identity("alpha", alpha)]}
        ca_file = str(client_files.authority(authority))
        arguments = {"port": server.port, "ca_file": ca_file, "host": "localhost"}
        script = _GEVENT.replace("ask(connect):", "ask(connect):\n        return connect().close()")
        stdin = json.dumps({**arguments, "settings": settings, "first": first})
        run_client(script, stdin=stdin).json()
        assert [None] * 4 == server.presented.wait_for(4)
