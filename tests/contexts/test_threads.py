"""One context in many threads: every connection gets its own host's identity."""

from __future__ import annotations

import functools
import random
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.contexts.handover import listen_on
from mxcert_runtime.contexts.own_certificate import presents_certificate
from tests.contexts.ground import BELOW, GOOD, RSA, Activation, Realm
from tests.contexts.verdicts import attempt
from tests.support.client_files import ClientFiles
from tests.support.listener import TIMEOUT
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer

_THREADS = 8
_ROUNDS = 8


@pytest.mark.parametrize("created", ["before", "after"])
@pytest.mark.parametrize("shared", [True, False], ids=["one context", "a context each"])
def test_each_host_sees_its_own(
    shared: bool,
    created: str,
    realm: Realm,
    server: TlsServer,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
) -> None:
    """Eight threads, three hosts, any order: the server sees alpha, beta and nobody."""
    expected = {GOOD: alpha.fingerprint, BELOW: beta.fingerprint, RSA: None}
    rules = [
        client_files.identity("alpha", alpha, hosts=[GOOD]),
        client_files.identity("beta", beta, hosts=[BELOW]),
    ]

    def activate() -> None:
        mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": rules})

    def create() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=realm.authority.der)
        return context

    if created == "after":
        activate()
    common = create()
    if created == "before":
        activate()

    def dial(host: str) -> tuple[str, str | None]:
        seen = attempt(common if shared else create(), server.port, host)
        assert seen.accepted, seen
        return seen.answer["sni"], seen.fingerprint

    hosts = list(expected) * _ROUNDS
    random.Random(1).shuffle(hosts)  # noqa: S311
    with ThreadPoolExecutor(_THREADS) as pool:
        answers = list(pool.map(dial, hosts))
    assert [(host, expected[host]) for host in hosts] == answers


@pytest.mark.parametrize("own", [True, False], ids=["own certificate", "none"])
def test_older_contexts_first_used_by_many(
    own: bool,
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    beta: Leaf,
    tmp_path: Path,
) -> None:
    """An older context presents its own certificate on each of its first connections, and later."""

    def create() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=realm.authority.der)
        if own:
            context.load_cert_chain(*beta.write_pem(tmp_path))
        return context

    contexts = [create() for _ in range(_ROUNDS)]
    activate()
    together = threading.Barrier(_THREADS)

    def dial(context: ssl.SSLContext) -> str | None:
        together.wait(TIMEOUT)
        return attempt(context, server.port, GOOD).fingerprint

    expected = beta.fingerprint if own else activate.leaf.fingerprint
    with ThreadPoolExecutor(_THREADS) as pool:
        for context in contexts:
            assert {expected} == set(pool.map(dial, [context] * _THREADS))
            assert expected == attempt(context, server.port, GOOD).fingerprint


@pytest.mark.parametrize("hooked", [True, False])
def test_certificate_loaded_while_others_connect(
    hooked: bool,
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    alpha: Leaf,
    beta: Leaf,
    tmp_path: Path,
) -> None:
    """From the moment that it is loaded on, a context presents its own certificate."""
    files = beta.write_pem(tmp_path)
    older = [realm.trusting() for _ in range(_ROUNDS)]
    activate()
    newer = [realm.trusting() for _ in range(_ROUNDS)]
    with ThreadPoolExecutor(_THREADS) as pool:
        for context in newer if hooked else older:
            others = [pool.submit(attempt, context, server.port, GOOD) for _ in range(_THREADS)]
            context.load_cert_chain(*files)
            after = [attempt(context, server.port, GOOD).fingerprint for _ in range(2)]
            assert [beta.fingerprint] * 2 == after
            seen = {each.result().fingerprint for each in others}
            assert seen <= {alpha.fingerprint, beta.fingerprint}


def test_callback_set_while_a_context_is_looked_at(
    realm: Realm, server: TlsServer, activate: Activation
) -> None:
    """Nobody's message callback is taken off, nor put back over one that was set meanwhile."""
    context: Any = realm.trusting()
    activate()
    kept = []

    def set_again() -> None:
        for _ in range(200):
            callback = functools.partial(_note_nothing)
            context._msg_callback = callback
            kept.append(context._msg_callback is callback)

    with ThreadPoolExecutor(_THREADS) as pool:
        setting = pool.submit(set_again)
        while not setting.done():
            presents_certificate(context)
            listen_on(context)
        setting.result()
    assert [True] * 200 == kept


def _note_nothing(*message: object) -> None:
    pass


def test_generations_change_meanwhile(
    realm: Realm, server: TlsServer, client_files: ClientFiles, alpha: Leaf, beta: Leaf
) -> None:
    """While settings are exchanged, every connection has one identity or the other, never none."""

    def activate(leaf: Leaf) -> None:
        rule = client_files.identity("own", leaf, hosts=[GOOD])
        mxcert_runtime.activate(settings={"identity": [rule]})

    activate(alpha)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=realm.authority.der)
    with ThreadPoolExecutor(_THREADS) as pool:
        pending = [pool.submit(attempt, context, server.port, GOOD) for _ in range(40)]
        for leaf in (beta, alpha) * 3:
            activate(leaf)
        seen = {each.result().fingerprint for each in pending}
    assert seen <= {alpha.fingerprint, beta.fingerprint}
    activate(beta)
    assert beta.fingerprint == attempt(context, server.port, GOOD).fingerprint


def test_while_the_hooks_go(
    realm: Realm,
    server: TlsServer,
    activate: Activation,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that another thread's undo overtakes in our hook presents its identity."""
    activate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=realm.authority.der)
    monkeypatch.delattr(ssl.SSLContext, "_mxcert_verify_mode")
    assert alpha.fingerprint == attempt(context, server.port, GOOD).fingerprint
