"""Sessions are resumed where context, identity and host are the same, and nowhere else."""

from __future__ import annotations

import gc
import socket
import ssl
import sys
import weakref
from collections.abc import Callable
from typing import Any, Optional

import pytest

import mxcert_runtime
from mxcert_runtime.hooks.stdlib import sessions as ssl_sessions
from mxcert_runtime.hooks.stdlib import spent_sessions
from mxcert_runtime.hooks.stdlib.sessions import sources
from mxcert_runtime.hooks.stdlib.spent_sessions import make_worthless
from tests.contexts.ground import BELOW, GOOD, Activation, Realm
from tests.contexts.verdicts import ask, connect
from tests.support.client_files import ClientFiles
from tests.support.listener import TIMEOUT
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

Answer = tuple[Optional[str], bool]


def _session(context: ssl.SSLContext, server: TlsServer, host: str = GOOD) -> ssl.SSLSession:
    """A session of a connection; with TLS 1.3 the ticket comes before the first answer."""
    with connect(context, server.port, host) as connection:
        ask(connection, host)
        session = connection.session
    assert session is not None
    return session


def _by_argument(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    with connect(context, server.port, host, session=session) as connection:
        return _answer(connection, host)


def _by_attribute(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    plain = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
    with context.wrap_socket(
        plain, server_hostname=host, do_handshake_on_connect=False
    ) as connection:
        connection.session = session
        connection.do_handshake()
        return _answer(connection, host)


def _by_attribute_before_connecting(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    with context.wrap_socket(socket.socket(), server_hostname=host) as connection:
        connection.settimeout(TIMEOUT)
        connection.session = session
        connection.connect(("127.0.0.1", server.port))
        return _answer(connection, host)


def _by_memory(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=host, session=session)
    return _answer_of_object(connection, incoming, outgoing, server.port)


def _by_memory_attribute(
    context: ssl.SSLContext, server: TlsServer, session: Any, host: str = GOOD
) -> Answer:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=host)
    connection.session = session
    return _answer_of_object(connection, incoming, outgoing, server.port)


def _answer(connection: ssl.SSLSocket, host: str) -> Answer:
    answer = ask(connection, host)
    assert answer["resumed"] == connection.session_reused
    return answer["fingerprint"], answer["resumed"]


def _answer_of_object(
    connection: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, port: int
) -> Answer:
    class Pumped:
        """As much of a socket as a question needs."""

        session_reused = property(lambda self: connection.session_reused)

        def sendall(self, content: bytes) -> None:
            self._until_done(lambda: connection.write(content))

        def recv(self, size: int) -> Any:
            return self._until_done(lambda: connection.read(size))

        def _until_done(self, step: Callable[[], Any]) -> Any:
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    incoming.write(plain.recv(65536))
                else:
                    plain.sendall(outgoing.read())
                    return result

    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain:
        pumped: Any = Pumped()
        pumped._until_done(connection.do_handshake)
        return _answer(pumped, GOOD)


WAYS = [
    _by_argument,
    _by_attribute,
    _by_attribute_before_connecting,
    _by_memory,
    _by_memory_attribute,
]
Way = Callable[..., Answer]
every_way = pytest.mark.parametrize("resume", WAYS)


@every_way
def test_plain_context_resumes(resume: Way, realm: Realm, server: TlsServer) -> None:
    """Without us the test's servers resume, so that the tests below are worth something."""
    context = realm.trusting()
    assert (None, True) == resume(context, server, _session(context, server))


@every_way
def test_resumes(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """Same context, same identity, same host: the server resumes, and knows who it is."""
    activate()
    context = realm.trusting()
    first = _session(context, server)
    assert (alpha.fingerprint, True) == resume(context, server, first)


@every_way
def test_without_identity_resumes(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """A host without an identity resumes as it does without us."""
    activate("elsewhere.test")
    context = realm.trusting()
    assert (None, True) == resume(context, server, _session(context, server))


@every_way
def test_context_older_than_activation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """A session of a context without a record does no harm: the right identity is seen."""
    context = realm.trusting()
    activate()
    fingerprint, _ = resume(context, server, _session(context, server))
    assert alpha.fingerprint == fingerprint


@every_way
def test_session_from_before_activation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """A session without an identity is not resumed where there is one now."""
    context = realm.trusting()
    session = _session(context, server)
    activate()
    assert (alpha.fingerprint, False) == resume(context, server, session)


@every_way
def test_session_from_before_the_rule(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """Nor is one of a context without a record, made while another generation gave none."""
    context = realm.trusting()
    activate("elsewhere.test")
    session = _session(context, server)
    activate()
    assert (alpha.fingerprint, False) == resume(context, server, session)


@every_way
def test_session_from_before_deactivation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """An identity's session is not resumed once we are gone, and is no error: nobody is seen."""
    activate()
    context = realm.trusting()
    session = _session(context, server)
    mxcert_runtime.deactivate()
    for _ in range(2):
        assert (None, False) == resume(context, server, session)


@every_way
def test_session_without_identity_from_before_deactivation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """Nor is one of a connection without an identity an error, whatever verified its server."""
    activate("elsewhere.test")
    context = realm.trusting()
    # The second context of the same trust has its loads left pending, so ours verifies for it.
    other = realm.trusting()
    sessions = [(each, _session(each, server)) for each in (context, other, context)]
    mxcert_runtime.deactivate()
    for each, session in sessions:
        assert resume(each, server, session)[0] is None


@every_way
def test_session_of_an_older_context_from_before_deactivation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """A context of unknown trust, whose connections may end on the caller's, is no way round."""
    context = realm.trusting()
    activate()
    session = _session(context, server)
    mxcert_runtime.deactivate()
    assert (None, False) == resume(context, server, session)


@every_way
def test_session_of_another_context_from_before_deactivation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """On another context of the program it is CPython's ValueError, as it is without us."""
    activate()
    session = _session(realm.trusting(), server)
    one, other = realm.trusting(), realm.trusting()
    kept = _session(one, server)
    mxcert_runtime.deactivate()
    for each in (session, kept):
        with pytest.raises(ValueError, match="Session refers to a different SSLContext"):
            resume(other, server, each)


def test_deactivated_and_activated_again(
    realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """What was kept over both makes a full handshake, under an identity and under none."""
    activate()
    context = realm.trusting()
    session = _session(context, server)
    for pattern, expected in (("*.test", alpha.fingerprint), ("elsewhere.test", None)):
        mxcert_runtime.deactivate()
        activate(pattern)
        assert (expected, False) == _by_argument(context, server, session)


def test_more_sessions_than_are_remembered(
    realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf, monkeypatch: Any
) -> None:
    """Of those that are kept beyond the limit none is an error, before deactivation and after."""
    monkeypatch.setattr(ssl_sessions, "_LIMIT", 2)
    activate()
    context = realm.trusting()
    sessions = [_session(context, server) for _ in range(4)]
    answers = [_by_argument(context, server, each) for each in (*sessions, sessions[0])]
    assert {alpha.fingerprint} == {fingerprint for fingerprint, _ in answers}
    assert not answers[0][1]
    mxcert_runtime.deactivate()
    assert [(None, False)] * 4 == [_by_argument(context, server, each) for each in sessions]


def test_deactivation_keeps_no_context(
    realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """A session that is kept keeps the program's context, as without us, and none of ours."""
    activate()
    context = realm.trusting()
    with connect(context, server.port, GOOD) as connection:
        ask(connection, GOOD)
        sessions = [connection.session for _ in range(50)]
        ours = weakref.ref(connection._sslobj.context)  # type: ignore[attr-defined]
    del connection
    was_ours = ours() is not context and ours() is not None
    mxcert_runtime.deactivate()
    gc.collect()
    assert (True, None) == (was_ours, ours())
    reference = weakref.ref(context)
    del context
    gc.collect()
    is_kept = reference() is not None
    sessions.clear()
    gc.collect()
    assert (True, None) == (is_kept, reference())


def test_what_does_not_look_like_a_session_is_left_alone(
    realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """Nothing is written where the memory does not hold what it must: CPython refuses it then."""
    activate()
    context, other = realm.trusting(), realm.trusting()
    session = _session(context, server)
    before = session.id
    assert not make_worthless(session, other, context)
    assert not make_worthless(object(), context, context)
    assert before == session.id
    source = sources.find(session)
    assert source is not None
    assert make_worthless(session, source.context, context)
    assert before != session.id


@pytest.mark.parametrize("missing", ["ctypes", "ciphers", "lock"])
def test_where_it_cannot_be_done(
    missing: str,
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Deactivation goes on all the same, and the session is never resumed."""
    if missing == "ctypes":
        monkeypatch.setitem(sys.modules, "ctypes", None)
    elif missing == "ciphers":
        monkeypatch.setattr(spent_sessions, "anonymous_connection", lambda: None)
    else:
        monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    activate()
    context = realm.trusting()
    session = _session(context, server)
    mxcert_runtime.deactivate()
    with pytest.raises(ValueError, match="Session refers to a different SSLContext"):
        _by_argument(context, server, session)


@every_way
@pytest.mark.parametrize("now", ["other", "none", "same again"])
def test_other_generation(
    now: str,
    resume: Way,
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
) -> None:
    """After other settings the handshake is full; what is the same goes on."""
    activate()
    context = realm.trusting()
    session = _session(context, server)
    expected: str | None
    if now == "other":
        Activation(client_files, beta)()
        expected = beta.fingerprint
    elif now == "none":
        activate("elsewhere.test")
        expected = None
    else:
        activate()
        expected = alpha.fingerprint
    assert (expected, now == "same again") == resume(context, server, session)


@every_way
def test_other_host(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """A session of one host is not resumed at another."""
    activate()
    context = realm.trusting()
    session = _session(context, server, BELOW)
    assert (alpha.fingerprint, False) == resume(context, server, session)


@every_way
def test_other_trust(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """Once the caller has loaded more, the handshake is full, and works."""
    activate()
    context = realm.trusting()
    session = _session(context, server)
    context.load_verify_locations(cadata=realm.foreign.der)
    fingerprint, _ = resume(context, server, session)
    assert alpha.fingerprint == fingerprint


MODES = ["plain", "identity", "no identity", "older"]


@pytest.mark.parametrize("resume", [_by_argument, _by_attribute, _by_memory_attribute])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("verified", [True, False])
def test_other_context(
    verified: bool,
    mode: str,
    resume: Way,
    realm: Realm,
    server: TlsServer,
    activate: Activation,
) -> None:
    """A session of another context is CPython's ValueError, also where ours is the same.

    Above all a session that nobody verified is not resumed where the server must be verified.
    """
    if mode in ("identity", "no identity"):
        activate("*.test" if mode == "identity" else "elsewhere.test")
    one, other = realm.trusting(), realm.trusting()
    if not verified:
        one.check_hostname = False
        one.verify_mode = ssl.CERT_NONE
    if mode == "older":
        activate()
    session = _session(one, server)
    with pytest.raises(ValueError, match="Session refers to a different SSLContext"):
        resume(other, server, session)


def test_other_context_and_a_session_from_before_activation(
    realm: Realm, server: TlsServer, activate: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for a session that we did not see being taken, where there is no identity.

    Only where sources of sessions were forgotten can it be one of an identity's connection.
    """
    monkeypatch.setattr(sources, "has_forgotten", False)
    one, other = realm.trusting(), realm.trusting()
    session = _session(one, server)
    activate("elsewhere.test")
    with pytest.raises(ValueError, match="Session refers to a different SSLContext"):
        _by_argument(other, server, session)


def test_sessions_are_told_apart_by_the_callers_context_alone(
    realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """The case above is real: both callers' connections do take the very same identity context."""
    activate()
    taken = []
    for context in (realm.trusting(), realm.trusting()):
        with connect(context, server.port, GOOD) as connection:
            taken.append(connection._sslobj.context)  # type: ignore[attr-defined]
    assert taken[0] is taken[1]


# CPython forgets to close the connection here, with and without us.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@every_way
@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("wrong", ["session"], ids=repr)
def test_wrong_type(
    wrong: Any, active: bool, resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """What is no session is CPython's TypeError."""
    if active:
        activate()
    with pytest.raises(TypeError, match="SSLSession"):
        resume(realm.trusting(), server, wrong)


@pytest.mark.parametrize("active", [False, True])
def test_after_the_handshake(
    active: bool, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """Too late is CPython's ValueError."""
    if active:
        activate()
    context = realm.trusting()
    session = _session(context, server)
    too_late = pytest.raises(ValueError, match="Cannot set session after handshake")
    with connect(context, server.port, GOOD) as connection, too_late:
        connection.session = session


@pytest.mark.parametrize("active", [False, True])
def test_on_a_server(active: bool, realm: Realm, server: TlsServer, activate: Activation) -> None:
    """A server's connection takes no session: CPython's ValueError."""
    if active:
        activate()
    context = realm.trusting()
    session = _session(context, server)
    with pytest.raises(ValueError, match=r"Session refers to|server-side"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_bio(
            ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True
        ).session = session
