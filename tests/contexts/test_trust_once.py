"""Authorities that the process has loaded before are not loaded again, until somebody looks."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.base.locks import ForkSafeLock
from mxcert_runtime.connections.observed import observe
from mxcert_runtime.contexts.handover import request_of
from mxcert_runtime.decisions import in_force
from tests.contexts.ground import FOREIGN, GOOD, REVOKED, Activation, Ground
from tests.contexts.loading import Way, by_data, by_file, loaded
from tests.contexts.verdicts import ask, attempt, connect
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer


class TestConnecting:
    def test_identity(
        self, pending: ssl.SSLContext, server: TlsServer, activate: Activation
    ) -> None:
        """The server is verified, and it sees the identity, with nothing loaded."""
        assert activate.leaf.fingerprint == attempt(pending, server.port, GOOD).fingerprint
        assert 0 == loaded(pending)

    def test_foreign_server(self, pending: ssl.SSLContext, server: TlsServer) -> None:
        """A server of another authority is refused."""
        assert "SSLCertVerificationError" == attempt(pending, server.port, FOREIGN).error

    def test_no_identity(
        self, way: Way, ground: Ground, server: TlsServer, activate: Activation
    ) -> None:
        """The same without an identity: nobody needs the context's own store."""
        activate("other.test")
        contexts = [way(ground) for _ in range(2)]
        seen = attempt(contexts[1], server.port, GOOD)
        assert (True, None) == (seen.accepted, seen.fingerprint)
        refused = attempt(way(ground), server.port, FOREIGN)
        assert "SSLCertVerificationError" == refused.error
        assert 0 == loaded(contexts[1])

    def test_kept_context(self, pending: ssl.SSLContext, server: TlsServer) -> None:
        """A context that goes on making connections keeps its verdicts."""
        for _ in range(3):
            assert attempt(pending, server.port, GOOD).accepted
            assert "SSLCertVerificationError" == attempt(pending, server.port, FOREIGN).error

    def test_crl(self, ground: Ground, server: TlsServer, activate: Activation) -> None:
        """A file's CRLs count where its load is not done again."""
        activate()
        ground.file(ground.realm.authority.pem + ground.realm.crl)
        by_file(ground)
        context = by_file(ground)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        assert attempt(context, server.port, GOOD).accepted
        assert 23 == attempt(context, server.port, REVOKED).verify_code
        assert 0 == loaded(context)

    def test_own_certificate(
        self, pending: ssl.SSLContext, server: TlsServer, beta: Leaf, tmp_path: Path
    ) -> None:
        """A caller with its own certificate is left alone: its context is loaded."""
        pending.load_cert_chain(*beta.write_pem(tmp_path))
        assert beta.fingerprint == attempt(pending, server.port, GOOD).fingerprint
        assert 1 == loaded(pending)


class TestLooking:
    @pytest.mark.parametrize(
        "look",
        [
            lambda context: context.get_ca_certs(),
            lambda context: context.get_ca_certs(binary_form=True),
            lambda context: context.cert_store_stats(),
        ],
    )
    def test_loads(
        self,
        look: Callable[[ssl.SSLContext], Any],
        pending: ssl.SSLContext,
        ground: Ground,
    ) -> None:
        """Whoever looks sees what a plain context shows, also when the file is gone."""
        (ground.folder / "bundle.pem").unlink()
        shown = look(pending)
        mxcert_runtime.deactivate()
        assert look(by_data(ground)) == shown

    def test_undo_loads(self, pending: ssl.SSLContext, server: TlsServer) -> None:
        """After deactivation the context works as if it had never been without its load."""
        mxcert_runtime.deactivate()
        assert 1 == loaded(pending)
        assert attempt(pending, server.port, GOOD).accepted
        assert "SSLCertVerificationError" == attempt(pending, server.port, FOREIGN).error

    @pytest.mark.parametrize("by_name", [False, True], ids=["context", "SNI callback"])
    def test_server_side(
        self, by_name: bool, ground: Ground, activate: Activation, tmp_path: Path
    ) -> None:
        """A server that verifies its clients by such a context takes and refuses the same."""
        activate()
        files = ground.realm.leaves[GOOD].write_pem(tmp_path)
        again = [_for_any_side(ground) for _ in range(2)][1]
        again.load_cert_chain(*files)
        again.verify_mode = ssl.CERT_REQUIRED
        assert 0 == loaded(again)
        context = _switching_to(again, files) if by_name else again
        assert [True, False] == [
            _is_admitted(context, authority, ground, tmp_path)
            for authority in (ground.realm.authority, ground.realm.foreign)
        ]


def _for_any_side(ground: Ground) -> ssl.SSLContext:
    """What `create_default_context` makes on Python 3.9, for clients and servers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS)
    context.load_verify_locations(cadata=ground.realm.authority.der)
    return context


def _switching_to(context: ssl.SSLContext, files: tuple[Path, Path]) -> ssl.SSLContext:
    first = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    first.load_cert_chain(*files)
    first.verify_mode = ssl.CERT_REQUIRED

    def switch(connection: ssl.SSLObject, name: str, _: ssl.SSLContext) -> None:
        connection.context = context

    first.sni_callback = switch
    return first


def _is_admitted(context: ssl.SSLContext, issuer: Authority, ground: Ground, folder: Path) -> bool:
    """Whether a server with this context takes a client of the issuer."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=ground.realm.authority.der)
    client.load_cert_chain(*issuer.issue("visitor", server=False).write_pem(folder))
    near, far = socket.socketpair()
    outcome: list[bool] = []

    def serve() -> None:
        try:
            with context.wrap_socket(far, server_side=True) as connection:
                outcome.append(connection.recv(1) == b"x")
        except ssl.SSLError:
            outcome.append(False)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(near, server_hostname=GOOD) as connection:
            connection.sendall(b"x")
            connection.recv(1)
    except OSError:
        pass
    thread.join(TIMEOUT)
    return outcome == [True]


def test_servers_context_isloaded(ground: Ground, activate: Activation) -> None:
    """A context for servers alone is never left pending: its uses cannot all be seen."""
    activate()
    for _ in range(2):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_verify_locations(cadata=ground.realm.authority.der)
        assert 1 == loaded(context)


class TestErrors:
    def test_missing_file(self, ground: Ground, activate: Activation) -> None:
        """A file that was loaded before and is gone is missing."""
        activate()
        path = ground.file(ground.realm.authority.pem)
        by_file(ground)
        path.unlink()
        with pytest.raises(FileNotFoundError):
            by_file(ground)

    def test_no_certificate(self, ground: Ground, activate: Activation) -> None:
        """A file without certificates is refused each time."""
        activate()
        ground.file(b"nothing in here\n")
        for _ in range(2):
            with pytest.raises(ssl.SSLError, match="NO_CERTIFICATE_OR_CRL_FOUND"):
                by_file(ground)

    @pytest.mark.parametrize("arguments", [{}, {"cafile": 5}, {"cadata": 5}, {"cadata": "ü"}])
    def test_wrong_arguments(self, arguments: dict[str, Any], activate: Activation) -> None:
        """What CPython refuses, it refuses in its own words."""
        expected = _refusal(arguments)
        activate()
        assert expected == _refusal(arguments)


def _refusal(arguments: dict[str, Any]) -> str:
    with pytest.raises((TypeError, ValueError, ssl.SSLError)) as caught:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**arguments)
    return repr(caught.value)


class TestChanges:
    def test_same_size(self, ground: Ground, server: TlsServer, activate: Activation) -> None:
        """A file that is written again at once, in the same length, is another trust."""
        activate()
        good, foreign = ground.realm.authority.pem, ground.realm.foreign.pem
        length = max(len(good), len(foreign))
        path = ground.file(good.ljust(length))
        by_file(ground)
        path.write_bytes(foreign.ljust(length))
        accepted = [
            attempt(by_file(ground), server.port, host).accepted for host in (GOOD, FOREIGN)
        ]
        assert [False, True] == accepted

    def test_directory(self, ground: Ground, server: TlsServer, activate: Activation) -> None:
        """Default paths with a directory: what is put in and taken out counts for the next call."""
        activate()
        realm = ground.realm
        file = ground.file(realm.foreign.pem)
        directory = ground.directory(realm.authority)
        ground.default_paths(file, str(directory))
        ssl.create_default_context()
        (entry,) = directory.iterdir()
        content, seen = entry.read_bytes(), []
        for there in (True, False, True):
            entry.write_bytes(content) if there else entry.unlink()
            context = ssl.create_default_context()
            seen.append(attempt(context, server.port, GOOD).accepted)
            assert 0 == loaded(context)
            assert attempt(ssl.create_default_context(), server.port, FOREIGN).accepted
        assert [True, False, True] == seen

    def test_extra_authorities(
        self, ground: Ground, server: TlsServer, activate: Activation
    ) -> None:
        """Extra authorities join default trust that is not loaded again."""
        path = activate.path(ground.realm.authority)
        activate(ca=[path])
        ground.default_paths(ground.file(ground.realm.foreign.pem))
        contexts = [ssl.create_default_context() for _ in range(3)]
        assert [1, 0, 0] == list(map(loaded, contexts))
        assert attempt(contexts[1], server.port, GOOD).accepted
        assert attempt(contexts[2], server.port, FOREIGN).accepted


def test_switched_off(way: Way, ground: Ground, server: TlsServer, activate: Activation) -> None:
    """With ``trust_cache`` false every load is done."""
    activate(trust_cache=False)
    contexts = [way(ground) for _ in range(2)]
    assert [1, 1] == list(map(loaded, contexts))
    assert attempt(contexts[1], server.port, GOOD).accepted


def test_switching_off_loads(pending: ssl.SSLContext, activate: Activation) -> None:
    """Settings that switch it off find nothing left pending."""
    activate(trust_cache=False)
    assert 1 == loaded(pending)


@pytest.mark.parametrize("rule", ["own", "none"])
def test_watched_endpoint(
    rule: str, ground: Ground, server: TlsServer, activate: Activation
) -> None:
    """A connection to a watched endpoint does the same, and the server's request is seen."""
    activate("other.test" if rule == "none" else GOOD)
    ground.file(ground.realm.authority.pem)
    for context in (by_file(ground), by_file(ground)):
        expected = attempt(context, server.port, GOOD).fingerprint
        assert in_force.current is not None
        assert observe(in_force.current, (GOOD, None))
        with connect(context, server.port, GOOD) as connection:
            answer = ask(connection, GOOD)
            request = request_of(connection)
        assert expected == answer["fingerprint"]
        assert (request or b"")[:1] == bytes([13])  # RFC 8446, section 4.3.2
        assert "SSLCertVerificationError" == attempt(context, server.port, FOREIGN).error


_FORKED = """
import os, sys, threading
from mxcert_runtime.base.locks import ForkSafeLock
from mxcert_runtime.contexts.identity_contexts import TRUSTING_LIMIT

lock, held, done = ForkSafeLock(), threading.Event(), threading.Event()

def hold():
    with lock:
        held.set()
        done.wait()

threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    with lock:
        os._exit(7)
done.set()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork_while_locked() -> None:
    """A child finds a lock open that another thread of its parent held."""
    assert "7" == run_client(_FORKED).stdout.strip()
    with ForkSafeLock():
        pass


def test_servers_demand(realm_demanding: TlsServer, ground: Ground, activate: Activation) -> None:
    """A server that demands a certificate has it from a context that loaded nothing."""
    activate()
    ground.file(ground.realm.authority.pem)
    by_file(ground)
    context = by_file(ground)
    assert attempt(context, realm_demanding.port, GOOD).accepted
    activate("other.test")
    assert not attempt(by_file(ground), realm_demanding.port, GOOD).accepted


@pytest.fixture
def realm_demanding(ground: Ground, client_authority: Authority) -> Any:
    tls = ServerTls(ground.realm.leaves[GOOD], (client_authority,), Demand.DEMAND)
    with TlsServer(tls) as running:
        yield running
