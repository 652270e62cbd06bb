"""Whoever is interrupted, at whatever line, leaves a context as it was or as it should become."""

from __future__ import annotations

import contextlib
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.contexts.ledger import ledger
from mxcert_runtime.contexts.own_certificate import presents_certificate
from mxcert_runtime.contexts.trust import default_paths_load
from tests.contexts.conftest import realm_server
from tests.contexts.ground import FOREIGN, GOOD, RSA, Activation, Ground, Realm
from tests.contexts.interrupting import each_line, in_a_thread
from tests.contexts.loading import loaded
from tests.contexts.verdicts import Verdict, attempt
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import TlsVersion

#: fewer would mean that the operation does not run through the package
_LINES = 10
#: more than an operation has lines
_OLDER = 600 if sys.version_info < (3, 14) else 900

#: what `except Exception` does not catch, and what it does
EXCEPTIONS = {"Ctrl-C": KeyboardInterrupt, "no memory": MemoryError}


@pytest.fixture(scope="module")
def port(realm: Realm, client_authority: Authority) -> Iterator[int]:
    with realm_server(realm, client_authority, TlsVersion.TLS13) as running:
        yield running.port


@pytest.fixture
def judge(port: int) -> Callable[[ssl.SSLContext, str], Verdict]:
    """Connects in another thread, which would wait for a lock that was left closed."""
    return lambda context, host: in_a_thread(lambda: attempt(context, port, host))


@pytest.fixture(params=EXCEPTIONS.values(), ids=EXCEPTIONS)
def interrupt(request: pytest.FixtureRequest) -> Callable[[], None]:
    def act() -> None:
        raise request.param

    return act


def _new() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trusting(realm: Realm) -> ssl.SSLContext:
    context = _new()
    context.load_verify_locations(cadata=realm.authority.der)
    return context


def _begin(context: ssl.SSLContext) -> ssl.SSLObject:
    return context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=GOOD)


Judge = Callable[[ssl.SSLContext, str], Verdict]


class Older:
    """Contexts that are older than activation, of which each interrupted run takes one."""

    def __init__(self, make: Callable[[], ssl.SSLContext], expected: str | None = None) -> None:
        self._unused = [make() for _ in range(_OLDER)]
        self.used: list[ssl.SSLContext] = []
        #: the fingerprint that servers have to see
        self.expected = expected

    def take(self) -> ssl.SSLContext:
        """The next one."""
        self.used.append(self._unused.pop())
        return self.used[-1]

    def connect(self) -> Callable[[], object]:
        """The first connection of the next one, still to be made."""
        context = self.take()
        return lambda: _begin(context)


@pytest.fixture(params=[True, False], ids=["own certificate", "none"])
def older(
    request: pytest.FixtureRequest, realm: Realm, activate: Activation, beta: Leaf, tmp_path: Path
) -> Older:
    """With a certificate of the program's own, and without; the settings are in force now."""
    has_own: bool = request.param
    files = beta.write_pem(tmp_path)

    def make() -> ssl.SSLContext:
        context = _trusting(realm)
        if has_own:
            context.load_cert_chain(*files)
        return context

    contexts = Older(make, (beta if has_own else activate.leaf).fingerprint)
    activate()
    return contexts


def test_first_connection_of_an_older_context(
    older: Older, interrupt: Callable[[], None], judge: Judge
) -> None:
    """The next one presents the program's own certificate, where it has one, else the rule's."""
    raised = each_line(older.connect, interrupt)
    assert len(raised) > _LINES
    assert None not in raised
    assert {older.expected} == {judge(each, GOOD).fingerprint for each in older.used}
    assert older.expected == judge(older.used[-1], GOOD).fingerprint


def test_handler_connects(older: Older, port: int, judge: Judge) -> None:
    """A signal handler connects on the context whose first connection is being made."""
    seen: list[str | None] = []
    each_line(older.connect, lambda: seen.append(attempt(older.used[-1], port, GOOD).fingerprint))
    assert len(seen) > _LINES
    seen += [judge(context, GOOD).fingerprint for context in older.used]
    assert {older.expected} == set(seen)


def test_creation(
    interrupt: Callable[[], None], realm: Realm, judge: Judge, activate: Activation
) -> None:
    """A context that is interrupted while it is made is nobody's; the next one is whole."""
    activate()
    each_line(lambda: _new, interrupt)
    assert activate.leaf.fingerprint == judge(_trusting(realm), GOOD).fingerprint


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "new"])
def test_load(
    is_known: bool,
    interrupt: Callable[[], None],
    realm: Realm,
    judge: Judge,
    activate: Activation,
) -> None:
    """Servers are accepted by what the context holds then, as whoever looks is shown."""
    activate()
    contexts: list[ssl.SSLContext] = []
    data = realm.authority.pem.decode()
    _new().load_verify_locations(cadata=data)

    def load() -> Callable[[], object]:
        text = data if is_known else data + "\n" * (1 + len(contexts))
        contexts.append(_new())
        return lambda: contexts[-1].load_verify_locations(cadata=text)

    assert len(each_line(load, interrupt)) > _LINES
    verdicts = [judge(context, GOOD).accepted for context in contexts]
    assert {True, False} == set(verdicts)
    assert [bool(context.get_ca_certs()) for context in contexts] == verdicts
    assert not any(judge(context, FOREIGN).accepted for context in contexts)


def test_load_of_a_certificate(
    interrupt: Callable[[], None],
    realm: Realm,
    judge: Judge,
    activate: Activation,
    beta: Leaf,
    tmp_path: Path,
) -> None:
    """The program's own certificate is presented as soon as the context has it."""
    files = beta.write_pem(tmp_path)
    activate()
    contexts: list[ssl.SSLContext] = []

    def load() -> Callable[[], object]:
        context = _trusting(realm)
        contexts.append(context)
        _begin(context)
        return lambda: context.load_cert_chain(*files)

    assert len(each_line(load, interrupt)) > _LINES
    expected = [
        (beta if presents_certificate(context) else activate.leaf).fingerprint
        for context in contexts
    ]
    assert {beta.fingerprint, activate.leaf.fingerprint} == set(expected)
    assert expected == [judge(context, GOOD).fingerprint for context in contexts]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="nothing tells the level of a context")
def test_security_level(
    interrupt: Callable[[], None], realm: Realm, judge: Judge, activate: Activation
) -> None:
    """A server is judged by the security level that the context has then, and by no other."""
    activate()
    contexts: list[Any] = []

    def change() -> Callable[[], object]:
        context = _trusting(realm)
        contexts.append(context)
        _begin(context)
        return lambda: context.set_ciphers("DEFAULT:@SECLEVEL=3")

    each_line(change, interrupt)
    levels = [context.security_level for context in contexts]
    assert {2, 3} == {max(level, 2) for level in levels}
    assert [level < 3 for level in levels] == [judge(each, RSA).accepted for each in contexts]


def test_look(
    interrupt: Callable[[], None], ground: Ground, judge: Judge, activate: Activation
) -> None:
    """What was pending is there when somebody looks again, and once."""
    activate()
    realm = ground.realm
    contexts: list[ssl.SSLContext] = []

    def look() -> Callable[[], object]:
        for _ in range(2):
            context = _trusting(realm)
            context.load_verify_locations(cadata=realm.foreign.der)
        assert loaded(context) == 0
        contexts.append(context)
        return context.cert_store_stats

    assert len(each_line(look, interrupt)) > _LINES
    assert all(judge(context, host).accepted for context in contexts for host in (GOOD, FOREIGN))
    shown = [context.cert_store_stats() for context in contexts]
    assert [{"x509": 2, "crl": 0, "x509_ca": 2}] * len(contexts) == shown


def test_default_context_of_a_library(
    interrupt: Callable[[], None], ground: Ground, judge: Judge, activate: Activation
) -> None:
    """A context that a library has made joins default trust wholly, or not at all."""
    ground.default_paths(ground.file(ground.realm.foreign.pem))
    older = Older(ssl.create_default_context)
    activate(ca=[activate.path(ground.realm.authority)])

    def adopt() -> Callable[[], object]:
        context = older.take()
        load = default_paths_load()
        return lambda: ledger.adopt_default(context, load)

    assert len(each_line(adopt, interrupt)) > _LINES
    for context in older.used:
        assert judge(context, FOREIGN).accepted
        assert judge(context, GOOD).fingerprint in (None, activate.leaf.fingerprint)
        with contextlib.suppress(ssl.SSLError):
            _begin(context)
    assert activate.leaf.fingerprint == judge(older.used[-1], GOOD).fingerprint
