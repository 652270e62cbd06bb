"""One context in many threads: every connection gets its own host's identity."""

from __future__ import annotations

import random
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

import mxcert_runtime
from tests.contexts.ground import BELOW, GOOD, RSA, Activation, Realm
from tests.contexts.verdicts import attempt
from tests.support.client_files import ClientFiles
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
