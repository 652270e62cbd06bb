"""The hooks of sockets are gone without a trace, and change nothing of what sockets do."""

from __future__ import annotations

import inspect
import socket
import ssl
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.connections import dialled_sockets

_OWNERS: tuple[tuple[Any, str], ...] = (
    (socket, "create_connection"),
    (socket.socket, "connect"),
    (socket.socket, "connect_ex"),
    (ssl.SSLSocket, "connect"),
    (ssl.SSLSocket, "connect_ex"),
)


def _stored() -> list[Any]:
    return [vars(owner).get(name) for owner, name in _OWNERS]


def _signatures() -> list[str]:
    # Those of C have none.
    own = [getattr(owner, name) for owner, name in _OWNERS if owner is not socket.socket]
    return [str(inspect.signature(each)) for each in own]


def test_undo() -> None:
    """Each attribute is what it was, inherited ones are inherited again."""
    before, signatures = _stored(), _signatures()
    mxcert_runtime.activate(settings={"no_certificate": {"hosts": ["a.test"]}})
    assert [] == [each for each, old in zip(_stored(), before) if each is old]
    assert signatures == _signatures()
    mxcert_runtime.deactivate()
    assert all(each is old for each, old in zip(_stored(), before))


def test_undo_where_another_class_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that puts a class of its own into ``socket`` meanwhile does not keep ours."""
    genuine = socket.socket
    mxcert_runtime.activate(settings={"no_certificate": {"hosts": ["a.test"]}})

    class Other(genuine):  # type: ignore[misc, valid-type]
        pass

    monkeypatch.setattr(socket, "socket", Other)
    mxcert_runtime.deactivate()
    assert "connect" not in vars(genuine)
    assert "connect" not in vars(Other)


def test_errors_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a socket refuses it refuses in the same words."""
    monkeypatch.setattr(dialled_sockets, "_dialled", {})

    def errors() -> list[str]:
        found = []
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        for address in (("127.0.0.1", port), "nowhere", ("localhost",), None, ("localhost", "x")):
            with socket.socket() as plain:
                for call in (plain.connect, plain.connect_ex, socket.create_connection):
                    try:
                        found.append(str(call(address)))  # type: ignore[operator]
                    except (OSError, TypeError, ValueError) as error:
                        found.append(repr(error))
        return [each.replace(str(port), "PORT") for each in found]

    before = errors()
    mxcert_runtime.activate(settings={"no_certificate": {"hosts": ["a.test"]}})
    assert before == errors()
    assert {} == {cookie: each for cookie, each in dialled_sockets._dialled.items() if each}
