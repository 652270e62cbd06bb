"""What a program opens by itself on the way to a leg is not that leg, and goes by its own name."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

import mxcert_runtime
from tests.support.names import LoopbackNames

from .conftest import HOST, Ground
from .dialling import Way, ask, connected, created, dial, wrapped_first

SERVICE = "Module.Service"


class _Arrived(Exception):
    """The proxy was asked; what is behind it does not matter here."""


def _named(host: str, port: int, context: ssl.SSLContext) -> str | None:
    return ask(context.wrap_socket(dial(host, port), server_hostname=host))


def _wrapped_first_named(host: str, port: int, context: ssl.SSLContext) -> str | None:
    with context.wrap_socket(socket.socket(), server_hostname=host) as connection:
        connection.connect((host, port))
        return ask(connection)


WAYS = [created, connected, wrapped_first, _named, _wrapped_first_named]


def _seen_on_the_way(ground: Ground, host: str, open_proxy: Callable[[], Any]) -> Any:
    """What a proxy has seen that a program speaks TLS to, in the place of `create_connection`."""
    seen = []

    def create_connection(*_: Any) -> Any:
        seen.append(open_proxy())
        raise _Arrived

    connection: Any = http.client.HTTPSConnection(host, ground.port, context=ground.context())
    connection._create_connection = create_connection
    with pytest.raises(_Arrived):
        connection.request("GET", "/")
    return seen[0]


def _activate_service(ground: Ground) -> None:
    identity = ground.files.identity("alpha", ground.alpha, services=[SERVICE])
    mxcert_runtime.activate(settings={"identity": [identity], "unlisted_hosts": "none"})


@pytest.mark.parametrize("way", WAYS)
def test_host_behind_a_proxy(way: Way, ground: Ground, loopback_names: LoopbackNames) -> None:
    """The identity of the host behind is not shown to the proxy, and the proxy's own is."""
    context = ground.context()

    def seen() -> Any:
        return _seen_on_the_way(ground, "alpha.test", lambda: way(HOST, ground.port, context))

    ground.activate("alpha.test", never=(HOST,))
    assert seen() is None
    ground.activate(HOST, never=("alpha.test",))
    assert ground.alpha.fingerprint == seen()


@pytest.mark.parametrize("way", WAYS)
def test_service_behind_a_proxy(way: Way, ground: Ground, loopback_names: LoopbackNames) -> None:
    """The service of the code is none of the proxy's business."""
    context = ground.context()
    _activate_service(ground)
    with mxcert_runtime.service(SERVICE):
        seen = _seen_on_the_way(ground, "alpha.test", lambda: way(HOST, ground.port, context))
        assert ground.alpha.fingerprint == way(HOST, ground.port, context)
    assert seen is None


def test_another_name_for_the_leg(ground: Ground, loopback_names: LoopbackNames) -> None:
    """What was dialled for the leg is the leg, whatever name the program verifies there."""
    _activate_service(ground)

    class Renaming(ssl.SSLContext):
        def wrap_socket(self, sock: Any, **named: Any) -> Any:
            return super().wrap_socket(sock, **{**named, "server_hostname": "alpha.test"})

    context = Renaming(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ground.ca_file)
    connection = http.client.HTTPSConnection(HOST, ground.port, context=context)
    with mxcert_runtime.service(SERVICE):
        connection.request("GET", "/")
    assert ground.alpha.fingerprint in connection.getresponse().read().decode()
    connection.close()
