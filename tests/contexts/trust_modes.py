"""The moments at which a context can be made and loaded, and how servers fare with it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence

from tests.contexts.ground import HOSTS, Activation, Ground
from tests.contexts.verdicts import Verdict, attempt
from tests.contexts.warming import Warming
from tests.contexts.ways import Step
from tests.support.pki import Leaf
from tests.support.tls_server import TlsServer


def new_context() -> ssl.SSLContext:
    """A context whose loads are such that have been done before, and need not be done again."""
    return Warming(ssl.PROTOCOL_TLS_CLIENT)


def take_steps(steps: Sequence[Step], ground: Ground, context: ssl.SSLContext) -> None:
    for step in steps:
        step(ground, context)


def create_after(steps: Sequence[Step], ground: Ground, activate: Activation) -> ssl.SSLContext:
    activate()
    context = new_context()
    take_steps(steps, ground, context)
    return context


def _create_uncached(steps: Sequence[Step], ground: Ground, activate: Activation) -> ssl.SSLContext:
    activate(trust_cache=False)
    context = new_context()
    take_steps(steps, ground, context)
    return context


def _create_before(steps: Sequence[Step], ground: Ground, activate: Activation) -> ssl.SSLContext:
    context = new_context()
    take_steps(steps, ground, context)
    activate()
    return context


def _load_after(steps: Sequence[Step], ground: Ground, activate: Activation) -> ssl.SSLContext:
    context = new_context()
    take_steps(steps[: len(steps) // 2], ground, context)
    activate()
    take_steps(steps[len(steps) // 2 :], ground, context)
    return context


Mode = Callable[[Sequence[Step], Ground, Activation], ssl.SSLContext]
MODES: dict[str, Mode] = {
    "created after": create_after,
    "created after, without cache": _create_uncached,
    "created before": _create_before,
    "loaded after": _load_after,
}


def judge_all(context: ssl.SSLContext, server: TlsServer) -> dict[str, Verdict]:
    return {host: attempt(context, server.port, host) for host in HOSTS}


def plain_ground(ground: Ground) -> Ground:
    folder = ground.folder / "plain"
    folder.mkdir()
    return Ground(ground.realm, folder, ground.monkeypatch)


def assert_presented(verdicts: dict[str, Verdict], leaf: Leaf) -> None:
    expected = {
        host: leaf.fingerprint if each.accepted else None for host, each in verdicts.items()
    }
    assert expected == {host: each.fingerprint for host, each in verdicts.items()}
