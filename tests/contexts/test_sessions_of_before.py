"""A session from before deactivation is resumed nowhere, and is an error nowhere."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.hooks.stdlib import sessions as ssl_sessions, spent_sessions
from mxcert_runtime.hooks.stdlib.sessions import sources
from mxcert_runtime.hooks.stdlib.spent_sessions import make_worthless
from tests.contexts.ground import GOOD, Activation, Realm
from tests.contexts.session_ways import Way, by_argument, every_way, session_of
from tests.contexts.verdicts import ask, connect
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


@every_way
def test_session_from_before_deactivation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """An identity's session is not resumed once we are gone, and is no error: nobody is seen."""
    activate()
    context = realm.trusting()
    session = session_of(context, server)
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
    sessions = [(each, session_of(each, server)) for each in (context, other, context)]
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
    session = session_of(context, server)
    mxcert_runtime.deactivate()
    assert (None, False) == resume(context, server, session)


@every_way
def test_session_of_another_context_from_before_deactivation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """On another context of the program it is CPython's ValueError, as it is without us."""
    activate()
    session = session_of(realm.trusting(), server)
    one, other = realm.trusting(), realm.trusting()
    kept = session_of(one, server)
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
    session = session_of(context, server)
    for pattern, expected in (("*.test", alpha.fingerprint), ("elsewhere.test", None)):
        mxcert_runtime.deactivate()
        activate(pattern)
        assert (expected, False) == by_argument(context, server, session)


def test_more_sessions_than_are_remembered(
    realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf, monkeypatch: Any
) -> None:
    """Of those that are kept beyond the limit none is an error, before deactivation and after."""
    monkeypatch.setattr(ssl_sessions, "_LIMIT", 2)
    activate()
    context = realm.trusting()
    sessions = [session_of(context, server) for _ in range(4)]
    answers = [by_argument(context, server, each) for each in (*sessions, sessions[0])]
    assert {alpha.fingerprint} == {fingerprint for fingerprint, _ in answers}
    assert not answers[0][1]
    mxcert_runtime.deactivate()
    assert [(None, False)] * 4 == [by_argument(context, server, each) for each in sessions]


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
    session = session_of(context, server)
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
    session = session_of(context, server)
    mxcert_runtime.deactivate()
    with pytest.raises(ValueError, match="Session refers to a different SSLContext"):
        by_argument(context, server, session)
