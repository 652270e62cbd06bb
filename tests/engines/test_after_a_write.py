"""TLS 1.3: a write that fails is explained by what the server said before, and nothing is lost."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.calls import TIMEOUT
from tests.diagnosis.abrupt_server import AbruptServer
from tests.diagnosis.after_a_write.resets import REQUEST, RESET, on_linux, wait_until
from tests.diagnosis.told import notes_of, told_of, warnings_of
from tests.engines.drivers import Driver
from tests.support.pki import Authority
from tests.support.scene import ALPHA_HOST, HOSTS, Scene
from tests.support.server_tls import Demand, ServerTls, TlsVersion

pytestmark = on_linux
ANSWER = b"HTTP/1.0 413 Too large\r\n\r\n"

Write = Callable[[Any], object]
WRITES: tuple[Write, ...] = (
    lambda connection: connection.sendall(REQUEST),
    lambda connection: connection.send(REQUEST),
    lambda connection: connection.write(REQUEST),
)
each_write = pytest.mark.parametrize("write", WRITES, ids=["sendall", "send", "write"])


@pytest.fixture
def tls_version() -> TlsVersion:
    """In TLS 1.2 a client is refused in its handshake."""
    return TlsVersion.TLS13


def _server(scene: Scene, root: Authority, demand: Demand, answer: bytes = b"") -> AbruptServer:
    leaf = scene.authority.issue("server", hosts=HOSTS)
    return AbruptServer(ServerTls(leaf, (root,), demand, TlsVersion.TLS13), answer)


def _outcomes(
    engine: Driver, port: int, context: Any, write: Write
) -> tuple[BaseException, bytes, list[Any]]:
    """The error of a write after the server's reset; what is read behind it, and what fails."""
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), TIMEOUT))
        connection = stack.enter_context(engine.connected(context, plain, ALPHA_HOST))
        wait_until(connection, select.POLLRDHUP)
        error = _failure_of(engine, connection, write)
        reads = [_read(engine, connection) for _ in range(4)]
    data = b"".join(each for each in reads if isinstance(each, bytes))
    return error, data, [each for each in reads if not isinstance(each, bytes)]


def _failure_of(engine: Driver, connection: Any, write: Write) -> BaseException:
    for _ in range(10):
        try:
            write(connection)
        except engine.errors as error:
            return error
        wait_until(connection, RESET)
    raise AssertionError("no write fails")


def _read(engine: Driver, connection: Any) -> Any:
    try:
        return connection.recv(100)
    except engine.errors as error:
        return type(error), error.args


def _can_read(engine: Driver, failures: list[Any]) -> bool:
    """Whether OpenSSL reads after a write that has failed; that of pyOpenSSL may be 4.0 or later.

    Then not even the program learns what its server has said.
    """
    return engine.name == "ssl" or not any(each[1:] == (([],),) for each in failures)


@each_write
def test_alert(
    engine: Driver, scene: Scene, write: Write, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """The alert is told, and writes and reads come to what they do without the plugin."""
    stranger = Authority("Stranger").issue("stranger", server=False)
    native = engine.context(scene.ca_file)
    engine.give_certificate(native, stranger, tmp_path)
    with _server(scene, Authority("Only root"), Demand.DEMAND) as server:
        plain, data, failures = _outcomes(engine, server.port, native, write)
        scene.activate(scene.files.identity("odd", stranger, hosts=[ALPHA_HOST]))
        context = engine.context(scene.ca_file)
        caplog.clear()
        error, *reads = _outcomes(engine, server.port, context, write)
    assert (type(plain), plain.args, [data, failures]) == (type(error), error.args, reads)
    if not _can_read(engine, failures):
        assert ([], []) == (notes_of(error), warnings_of(caplog))
        return
    told = told_of(error, caplog)
    assert told[""].endswith("(unknown_ca)")
    assert stranger.subject in told["presented"]


@each_write
def test_data_is_the_programs(
    engine: Driver, scene: Scene, write: Write, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """The twin: a server that has answered took the certificate; its answer is read as ever."""
    root = Authority("Root")
    leaf = root.issue("client", server=False)
    native = engine.context(scene.ca_file)
    engine.give_certificate(native, leaf, tmp_path)
    with _server(scene, root, Demand.ACCEPT, ANSWER) as server:
        plain, data, failures = _outcomes(engine, server.port, native, write)
        scene.activate(scene.files.identity("one", leaf, hosts=[ALPHA_HOST]))
        context = engine.context(scene.ca_file)
        caplog.clear()
        error, *reads = _outcomes(engine, server.port, context, write)
    assert (type(plain), plain.args, [data, failures]) == (type(error), error.args, reads)
    assert data == (ANSWER if _can_read(engine, failures) else b"")
    assert ([], []) == (notes_of(error), warnings_of(caplog))
