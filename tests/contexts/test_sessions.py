"""Sessions are resumed where context, identity and host are the same, and nowhere else."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from mxcert_runtime.hooks.stdlib.sessions import sources
from tests.contexts.ground import BELOW, GOOD, Activation, Realm
from tests.contexts.session_ways import (
    Way,
    by_argument,
    by_attribute,
    by_memory_attribute,
    every_way,
    session_of,
)
from tests.contexts.verdicts import connect
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


@every_way
def test_plain_context_resumes(resume: Way, realm: Realm, server: TlsServer) -> None:
    """Without us the test's servers resume, so that the tests below are worth something."""
    context = realm.trusting()
    assert (None, True) == resume(context, server, session_of(context, server))


@every_way
def test_resumes(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """Same context, same identity, same host: the server resumes, and knows who it is."""
    activate()
    context = realm.trusting()
    first = session_of(context, server)
    assert (alpha.fingerprint, True) == resume(context, server, first)


@every_way
def test_without_identity_resumes(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """A host without an identity resumes as it does without us."""
    activate("elsewhere.test")
    context = realm.trusting()
    assert (None, True) == resume(context, server, session_of(context, server))


@every_way
def test_context_older_than_activation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """A session of a context without a record does no harm: the right identity is seen."""
    context = realm.trusting()
    activate()
    fingerprint, _ = resume(context, server, session_of(context, server))
    assert alpha.fingerprint == fingerprint


@every_way
def test_session_from_before_activation(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """A session without an identity is not resumed where there is one now."""
    context = realm.trusting()
    session = session_of(context, server)
    activate()
    assert (alpha.fingerprint, False) == resume(context, server, session)


@every_way
def test_session_from_before_the_rule(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """Nor is one of a context without a record, made while another generation gave none."""
    context = realm.trusting()
    activate("elsewhere.test")
    session = session_of(context, server)
    activate()
    assert (alpha.fingerprint, False) == resume(context, server, session)


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
    session = session_of(context, server)
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
    session = session_of(context, server, BELOW)
    assert (alpha.fingerprint, False) == resume(context, server, session)


@every_way
def test_other_trust(
    resume: Way, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
) -> None:
    """Once the caller has loaded more, the handshake is full, and works."""
    activate()
    context = realm.trusting()
    session = session_of(context, server)
    context.load_verify_locations(cadata=realm.foreign.der)
    fingerprint, _ = resume(context, server, session)
    assert alpha.fingerprint == fingerprint


MODES = ["plain", "identity", "no identity", "older"]


@pytest.mark.parametrize("resume", [by_argument, by_attribute, by_memory_attribute])
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
    session = session_of(one, server)
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
    session = session_of(one, server)
    activate("elsewhere.test")
    with pytest.raises(ValueError, match="Session refers to a different SSLContext"):
        by_argument(other, server, session)


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
    session = session_of(context, server)
    too_late = pytest.raises(ValueError, match="Cannot set session after handshake")
    with connect(context, server.port, GOOD) as connection, too_late:
        connection.session = session


@pytest.mark.parametrize("active", [False, True])
def test_on_a_server(active: bool, realm: Realm, server: TlsServer, activate: Activation) -> None:
    """A server's connection takes no session: CPython's ValueError."""
    if active:
        activate()
    context = realm.trusting()
    session = session_of(context, server)
    with pytest.raises(ValueError, match=r"Session refers to|server-side"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_bio(
            ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True
        ).session = session
