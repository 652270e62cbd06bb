"""The gate before connections asks about those of clients alone, and leaves nothing standing."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from mxcert_runtime.base import genuine_context
from mxcert_runtime.start.connection_gate import ConnectionGate


class _Engine:
    """Makes connections as a context of ``ssl`` does, and says how."""

    def _wrap_socket(self, sock: object, server_side: bool = False, host: str = "") -> str:
        return "made"

    def _wrap_bio(self, a: object, b: object, server_side: bool = False, host: str = "") -> str:
        return "made"


@pytest.fixture
def engine() -> type[Any]:
    """A class of its own for each test."""
    return type("Engine", (_Engine,), {})


def _gate(engine: Any, opens: bool = False) -> tuple[ConnectionGate, list[int]]:
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        if opens:
            gate.open()
            engine._wrap_socket = lambda *_, **__: "made by the plugin"

    gate = ConnectionGate(ask, engine)
    gate.close()
    return gate, asked


def test_connections_of_servers(engine: Any) -> None:
    """They are made without a question, said by position or by name."""
    _, asked = _gate(engine)

    made = [
        engine()._wrap_socket("socket", True, "a.test"),
        engine()._wrap_socket("socket", server_side=True),
        engine()._wrap_bio("in", "out", True),
        engine()._wrap_bio("in", "out", server_side=True),
    ]

    assert (["made"] * 4, []) == (made, asked)


def test_connections_of_clients(engine: Any) -> None:
    """Whoever is asked comes first; where he does nothing, that very connection goes through."""
    _, asked = _gate(engine)

    made = [
        engine()._wrap_socket("socket", False, "a.test"),
        engine()._wrap_socket("socket"),
        engine()._wrap_bio("in", "out", False),
        engine()._wrap_bio("in", "out", server_side=False, host="a.test"),
    ]

    assert (["made"] * 4, [1] * 4) == (made, asked)


def test_a_gate_that_is_opened_meanwhile(engine: Any) -> None:
    """The connection is made by what stands there then."""
    _, asked = _gate(engine, opens=True)

    made = engine()._wrap_socket("socket"), engine()._wrap_socket("socket")

    assert (("made by the plugin",) * 2, [1]) == (made, asked)


def test_nothing_is_left(engine: Any) -> None:
    """An open gate has gone."""
    gate, _ = _gate(engine)

    gate.open()

    assert [] == [name for name in vars(engine) if name.startswith("_wrap")]


def test_another_patch_on_top(engine: Any) -> None:
    """It stays, and the gate beneath, which is open, asks nobody any more."""
    gate, asked = _gate(engine)
    beneath = engine._wrap_socket
    engine._wrap_socket = lambda self, sock: ("patched", beneath(self, sock))

    gate.open()

    assert (("patched", "made"), []) == (engine()._wrap_socket("socket"), asked)


def test_a_class_in_the_place_of_the_genuine_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as gevent's or truststore's: the gate stands on that which they use themselves."""
    genuine = genuine_context()
    monkeypatch.setattr(ssl, "SSLContext", type("Other", (genuine,), {}))
    asked: list[int] = []
    gate = ConnectionGate(lambda: asked.append(1))

    gate.close()
    try:
        context = genuine(ssl.PROTOCOL_TLS_CLIENT)
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")
    finally:
        gate.open()

    assert [1] == asked
