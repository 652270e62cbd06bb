"""No connection goes by a name that another one dialled."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from types import ModuleType

import pytest

from mxcert_runtime.base import socket_cookie
from mxcert_runtime.base.hosts import UnnamedHost
from mxcert_runtime.connections import dialled_sockets
from tests.support.listener import TIMEOUT
from tests.support.names import LoopbackNames
from tests.support.proxy import ConnectProxy

from .conftest import ADDRESS, HOST, Ground
from .dialling import ask, created, dial


def _tunnel(proxy: str, port: int, host: str, through: int) -> socket.socket:
    """A tunnel that the program asks for by itself."""
    plain = dial(proxy, through)
    plain.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode("ascii"))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += plain.recv(1)
    return plain


@pytest.mark.parametrize("proxy", [HOST, ADDRESS])
def test_tunnel(proxy: str, ground: Ground, plain_proxy: ConnectProxy) -> None:
    """Whoever has answered already may be a proxy, whose name and address are nobody else's."""
    ground.activate(HOST, ADDRESS, never=("none.test",))
    plain = _tunnel(proxy, ground.port, "none.test", plain_proxy.port)
    assert ask(ground.context().wrap_socket(plain)) is None
    assert [f"none.test:{ground.port}"] == plain_proxy.tunnels


def test_port_of_a_tunnel(ground: Ground, plain_proxy: ConnectProxy) -> None:
    """The port of a proxy is not the port of the host behind it, so a *none* for one counts."""
    ground.activate(never=(f"none.test:{ground.port}",))
    plain = _tunnel(ADDRESS, ground.port, "none.test", plain_proxy.port)
    assert ask(ground.context().wrap_socket(plain, server_hostname="none.test")) is None
    assert "the port of a connection to none.test is not known" in ground.warnings[0]


def test_port_of_the_peer(ground: Ground) -> None:
    """Whoever has not said a word is the one that was dialled, and so is its port."""
    ground.activate(never=(f"none.test:{ground.port}",))
    context = ground.context()
    for name, expected in (("none.test", None), ("alpha.test", ground.alpha.fingerprint)):
        plain = dial(ADDRESS, ground.port)
        assert expected == ask(context.wrap_socket(plain, server_hostname=name))
    assert [] == ground.warnings


def _dial_again(port: int, close: Callable[[socket.socket], object]) -> socket.socket:
    """A socket of an address, by the descriptor of one that was dialled by name and closed."""
    for _ in range(1000):
        first = dial(HOST, port)
        number = first.fileno()
        close(first)
        second = dial(ADDRESS, port)
        if number == second.fileno():
            return second
        second.close()  # the server's thread was faster
    raise AssertionError("no descriptor was used again")


def test_descriptor_is_used_again(ground: Ground) -> None:
    """A descriptor that serves another connection has no name, in no order."""
    ground.activate(HOST, never=("none.test",))
    context = ground.context()
    for close in (socket.socket.close, lambda each: os.close(each.detach())):
        second = _dial_again(ground.port, close)
        assert ask(context.wrap_socket(second)) is None
        assert ground.alpha.fingerprint == created(HOST, ground.port, context)


def test_one_thread_dials_another_wraps(ground: Ground, loopback_names: LoopbackNames) -> None:
    """The name goes with the socket, not with the thread or the time."""
    ground.activate("alpha.test", never=("none.test",))
    context = ground.context()
    names = ["alpha.test", "none.test", ADDRESS] * 8
    with ThreadPoolExecutor(8) as pool:
        sockets = list(pool.map(dial, names, repeat(ground.port)))
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda plain: ask(context.wrap_socket(plain)), reversed(sockets)))
    assert [ground.alpha.fingerprint, None, None] * 8 == seen[::-1]


def test_threads_resolve_and_wrap_at_once(ground: Ground, loopback_names: LoopbackNames) -> None:
    """A name that one thread resolves is not what another one wraps meanwhile."""
    ground.activate("alpha.test", never=("none.test",))
    context, barrier, seen = ground.context(), threading.Barrier(2), {}

    def resolve_and_wrap(name: str, address: bool) -> None:
        (_, _, _, _, found), *_ = socket.getaddrinfo(name, ground.port, socket.AF_INET)
        barrier.wait(TIMEOUT)
        plain = dial(found[0] if address else name, ground.port)
        barrier.wait(TIMEOUT)
        seen[name] = ask(context.wrap_socket(plain))

    threads = [
        threading.Thread(target=resolve_and_wrap, args=arguments)
        for arguments in (("alpha.test", False), ("none.test", True))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {"alpha.test": ground.alpha.fingerprint, "none.test": None} == seen


def test_table_is_bounded(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten, and then it is a socket that nobody has named."""
    monkeypatch.setattr(dialled_sockets, "_LIMIT", 2)
    monkeypatch.setattr(dialled_sockets, "_dialled", {})
    ground.activate(never=("none.test",))
    sockets = [dial(HOST, ground.port) for _ in range(3)]
    found = [dialled_sockets.endpoint_of_socket(each, None) for each in sockets]
    for each in sockets:
        each.close()
    unnamed = UnnamedHost(ADDRESS), ground.port
    assert [unnamed, (HOST, ground.port), (HOST, ground.port)] == found
    assert 2 == len(dialled_sockets._dialled)


@pytest.mark.parametrize(
    ("module", "missing"), [(socket_cookie, "_SO_COOKIE"), (dialled_sockets, "_TCP_INFO")]
)
def test_kernels_that_do_not_tell(
    module: ModuleType, missing: str, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what makes it certain, a connection is one that nobody has named."""
    monkeypatch.setattr(module, missing, -1)
    ground.activate(HOST, never=("none.test",))
    assert created(HOST, ground.port, ground.context()) is None
    assert 1 == len(ground.warnings)
