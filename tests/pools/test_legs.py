"""Rules with a port: each layer that dials tells the port, and where none does it is said once."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.clients import calls
from tests.clients.calls import TIMEOUT, endpoint_of, name_of, request_for
from tests.support.factories import ServerFactory
from tests.support.mail_server import StartTlsServer
from tests.support.pki import Leaf
from tests.support.raw_http import body_of
from tests.support.scene import ALPHA_HOST, BETA_HOST, Scene
from tests.support.tls_server import TlsServer

AsyncCall = Callable[[str, ssl.SSLContext], Awaitable[bytes]]


async def _converse(reader: Any, writer: Any, url: str) -> bytes:
    writer.write(request_for(url))
    answer: bytes = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def _by_host(url: str, context: ssl.SSLContext) -> bytes:
    return await _converse(*await asyncio.open_connection(*endpoint_of(url), ssl=context), url)


async def _by_socket(url: str, context: ssl.SSLContext) -> bytes:
    host, port = endpoint_of(url)
    plain = socket.create_connection((host, port), TIMEOUT)
    plain.setblocking(False)
    streams = await asyncio.open_connection(sock=plain, ssl=context, server_hostname=host)
    return await _converse(*streams, url)


async def _by_address(url: str, context: ssl.SSLContext) -> bytes:
    host, port = endpoint_of(url)
    streams = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
    return await _converse(*streams, url)


class _Collecting(asyncio.Protocol):
    def __init__(self, url: str) -> None:
        self._url = url
        self._received = b""
        self._transport: Any = None
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(request_for(self._url))

    def data_received(self, data: bytes) -> None:
        self._received += data

    def connection_lost(self, error: Any) -> None:
        # Python 3.9 takes a transport for unclosed that the other side has closed.
        self._transport.close()
        self.done.set_result(self._received)


async def _by_create_connection(url: str, context: ssl.SSLContext) -> bytes:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(
        lambda: _Collecting(url), *endpoint_of(url), ssl=context
    )
    return await protocol.done


async def _by_loop_start_tls(url: str, context: ssl.SSLContext) -> bytes:
    loop = asyncio.get_running_loop()
    host, port = endpoint_of(url)
    transport, _ = await loop.create_connection(asyncio.Protocol, host, port)
    protocol = _Collecting(url)
    secured = await loop.start_tls(transport, protocol, context, server_hostname=host)
    protocol.connection_made(secured)
    return await protocol.done


async def _by_writer_start_tls(url: str, context: ssl.SSLContext) -> bytes:
    if sys.version_info < (3, 11):
        pytest.skip("StreamWriter.start_tls is there since Python 3.11")
    host, port = endpoint_of(url)
    reader, writer = await asyncio.open_connection(host, port)
    await writer.start_tls(context, server_hostname=host)
    return await _converse(reader, writer, url)


ASYNC_CALLS: tuple[AsyncCall, ...] = (
    _by_host,
    _by_socket,
    _by_address,
    _by_create_connection,
    _by_loop_start_tls,
    _by_writer_start_tls,
)
SYNC_CALLS = tuple(call for call in calls.ALL if call is not calls.wrap_bio)


def _sync(call: AsyncCall) -> Callable[[str, ssl.SSLContext], Any]:
    async def within_time(url: str, context: ssl.SSLContext) -> bytes:
        return await asyncio.wait_for(call(url, context), TIMEOUT)

    return lambda url, context: body_of(asyncio.run(within_time(url, context)))


@pytest.fixture
def other(tls_server: ServerFactory[TlsServer], scene: Scene) -> TlsServer:
    """The same names on another port."""
    return tls_server(hosts=[ALPHA_HOST, BETA_HOST])


def _activate(scene: Scene, port: int) -> None:
    scene.activate(
        scene.files.identity("alpha", scene.alpha, hosts=[f"{ALPHA_HOST}:{port}"]),
        scene.files.identity("beta", scene.beta, hosts=[ALPHA_HOST]),
    )


def _judge(call: Callable[[str, ssl.SSLContext], Any], scene: Scene, other: TlsServer) -> None:
    context = scene.context()
    _activate(scene, scene.server.port)
    seen = [call(each.url(ALPHA_HOST), context)["fingerprint"] for each in (scene.server, other)]
    assert [scene.alpha.fingerprint, scene.beta.fingerprint] == seen


@pytest.mark.parametrize("call", ASYNC_CALLS, ids=lambda call: call.__name__.strip("_"))
def test_asyncio(call: AsyncCall, scene: Scene, other: TlsServer) -> None:
    """``host:port`` wins on its port, ``host`` on any other, however asyncio is asked."""
    _judge(_sync(call), scene, other)


@pytest.mark.parametrize("call", SYNC_CALLS, ids=name_of)
def test_clients(call: calls.Call, scene: Scene, other: TlsServer) -> None:
    """The same for the clients."""
    _judge(call, scene, other)


@pytest.mark.parametrize("own", [True, False], ids=["its port", "another port"])
def test_smtp(
    own: bool, scene: Scene, other: TlsServer, smtp_server: ServerFactory[StartTlsServer]
) -> None:
    """The same for a mail server after STARTTLS."""
    server = smtp_server(hosts=[ALPHA_HOST])
    _activate(scene, server.port if own else other.port)
    with smtplib.SMTP(ALPHA_HOST, server.port, timeout=TIMEOUT) as client:
        client.starttls(context=scene.context())
        client.noop()
    leaf = scene.alpha if own else scene.beta
    assert [leaf.fingerprint] == [each.fingerprint for each in server.seen]


def test_raw_memory(scene: Scene, gamma: Leaf, caplog: pytest.LogCaptureFixture) -> None:
    """Memory BIOs by themselves: rules that differ by port count not, and one warning says so."""
    host = "memory-leg.test"  # nobody else's: the warning comes once for each host in a process
    server = scene.server
    scene.activate(
        scene.files.identity("alpha", scene.alpha, hosts=[f"{host}:{server.port}"]),
        scene.files.identity("gamma", gamma, hosts=[host]),
    )
    context = scene.context()
    context.check_hostname = False
    with caplog.at_level(logging.WARNING, "mxcert_runtime"):
        seen = [calls.wrap_bio(server.url(host), context)["fingerprint"] for _ in range(3)]
    assert [None] * 3 == seen
    (warning,) = [each for each in caplog.records if each.name == "mxcert_runtime"]
    assert host in warning.getMessage()


@pytest.mark.parametrize("call", [_by_socket, _by_loop_start_tls])
def test_dialled_from_a_callback(call: AsyncCall, scene: Scene, other: TlsServer) -> None:
    """A task that a connection's protocol starts dials its own leg, not the connection's."""
    _activate(scene, scene.server.port)
    context = scene.context()

    class Starting(_Collecting):
        task: Any = None

        def connection_made(self, transport: Any) -> None:
            self.task = asyncio.ensure_future(call(other.url(ALPHA_HOST), context))
            super().connection_made(transport)

    async def main() -> list[bytes]:
        loop = asyncio.get_running_loop()
        url = scene.url()
        _, protocol = await loop.create_connection(
            lambda: Starting(url), *endpoint_of(url), ssl=context
        )
        return await asyncio.wait_for(asyncio.gather(protocol.done, protocol.task), TIMEOUT)

    seen = [body_of(answer)["fingerprint"] for answer in asyncio.run(main())]
    assert [scene.alpha.fingerprint, scene.beta.fingerprint] == seen
