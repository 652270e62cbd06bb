"""The clients of random programs: each makes one request and gives the name in its answer.

A context is all that they are given; no client is told of a certificate.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import urllib3
from OpenSSL import SSL

from tests.model.cast import PROXY_HOST, WRONG_HOST
from tests.support.listener import TIMEOUT

LOOPBACK = "127.0.0.1"


class Clients:
    """One program's clients; those that keep connections do so for each context and proxy."""

    def __init__(self, proxy_ports: dict[str, int]) -> None:
        self._proxy_ports = proxy_ports
        self._kept: dict[tuple[str, int, str | None], Any] = {}
        self._sessions: dict[int, ssl.SSLSession] = {}
        self._aiohttp = _KeptAiohttp()

    def close(self) -> None:
        """Close what is kept."""
        self._aiohttp.close()
        for client in self._kept.values():
            client.close() if isinstance(client, httpx.Client) else client.clear()

    def ask(
        self, client: str, context: Any, host: str, port: int, proxy: str | None, resumes: bool
    ) -> str:
        """The peer's answer; raises what the client raises."""
        if client in ("urllib3", "httpx"):
            return str(self._by_pool(client, context, f"https://{host}:{port}/", proxy))
        if client == "aiohttp-kept":
            return self._aiohttp.ask(context, f"https://{host}:{port}/", self._proxy_url(proxy))
        if resumes:
            return self._resuming(context, host, port)
        return _ASKING[client](context, host, port)

    def _by_pool(self, client: str, context: Any, url: str, proxy: str | None) -> str:
        key = client, id(context), proxy
        if key not in self._kept:
            made = _MAKING[client](context, self._proxy_url(proxy))
            # Of several threads the first has made the client of all.
            made = self._kept.setdefault(key, made)
        kept = self._kept[key]
        if client == "httpx":
            return str(kept.get(url).text)
        return str(kept.request("GET", url, retries=False).data.decode())

    def _proxy_url(self, proxy: str | None) -> str | None:
        return proxy and f"{proxy}://{PROXY_HOST}:{self._proxy_ports[proxy]}"

    def _resuming(self, context: Any, host: str, port: int) -> str:
        """With the last session that a connection of this context gave."""
        with _connected(host, port) as plain:
            # Where no identity is involved CPython resumes it for any name, unverified.
            session = None if host.lower() == WRONG_HOST else self._sessions.get(id(context))
            with context.wrap_socket(plain, server_hostname=host, session=session) as connection:
                answer = _converse(connection)
                self._sessions[id(context)] = connection.session
                return answer


class _KeptAiohttp:
    """A session of aiohttp for each context, in a loop that threads of all services ask."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sessions: dict[int, aiohttp.ClientSession] = {}
        self._lock = threading.Lock()

    def ask(self, context: Any, url: str, proxy: str | None) -> str:
        return asyncio.run_coroutine_threadsafe(
            self._get(context, url, proxy), self._running()
        ).result(TIMEOUT)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
                self._thread.start()
            return self._loop

    async def _get(self, context: Any, url: str, proxy: str | None) -> str:
        if id(context) not in self._sessions:
            connector = aiohttp.TCPConnector(ssl=context, resolver=aiohttp.ThreadedResolver())
            self._sessions[id(context)] = aiohttp.ClientSession(connector=connector)
        async with self._sessions[id(context)].get(url, proxy=proxy) as response:
            return await response.text()

    def close(self) -> None:
        if self._loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    async def _end(self) -> None:
        for session in self._sessions.values():
            await session.close()
        # The transports end in the next turns of the loop.
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.get_running_loop().shutdown_default_executor()


def _connected(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), TIMEOUT)


def _converse(connection: Any) -> str:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: model\r\n\r\n")
    received = b""
    while not received.partition(b"\r\n\r\n")[2]:
        received += _received(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.rpartition(b": ")[2])
    while len(body) < length:
        body += _received(connection)
    return body.decode()


def _received(connection: Any) -> bytes:
    chunk: bytes = connection.recv(65536)
    if not chunk:
        raise ConnectionResetError("the peer has closed without an answer")
    return chunk


def _wrap(context: ssl.SSLContext, host: str, port: int) -> str:
    plain = _connected(host, port)
    with plain, context.wrap_socket(plain, server_hostname=host) as connection:
        return _converse(connection)


def _wrap_then_connect(context: ssl.SSLContext, host: str, port: int) -> str:
    with context.wrap_socket(socket.socket(), server_hostname=host) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect((LOOPBACK, port))
        return _converse(connection)


def _wrap_dialled_without_name(context: ssl.SSLContext, host: str, port: int) -> str:
    with _connected(host, port) as plain, context.wrap_socket(plain) as connection:
        return _converse(connection)


def _wrap_without_name(context: ssl.SSLContext, host: str, port: int) -> str:
    with socket.socket() as plain:
        plain.settimeout(TIMEOUT)
        plain.connect((LOOPBACK, port))
        with context.wrap_socket(plain) as connection:
            return _converse(connection)


async def _ask(reader: asyncio.StreamReader, transport: Any) -> str:
    try:
        transport.write(b"GET / HTTP/1.1\r\nHost: model\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        return (await reader.readexactly(int(head.strip().rpartition(b": ")[2]))).decode()
    finally:
        transport.abort()


def _by_asyncio(context: ssl.SSLContext, host: str, port: int) -> str:
    async def ask() -> str:
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        return await _ask(reader, writer.transport)

    return asyncio.run(ask())


def _by_asyncio_on_socket(context: ssl.SSLContext, host: str, port: int) -> str:
    async def ask(plain: socket.socket) -> str:
        reader, writer = await asyncio.open_connection(
            sock=plain, ssl=context, server_hostname=host
        )
        return await _ask(reader, writer.transport)

    with _connected(host, port) as plain:
        return asyncio.run(ask(plain))


def _by_start_tls(context: ssl.SSLContext, host: str, port: int) -> str:
    async def ask() -> str:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        plain, _ = await loop.create_connection(lambda: protocol, host, port)
        try:
            secured = await loop.start_tls(plain, protocol, context, server_hostname=host)
            return await _ask(reader, secured)
        finally:
            plain.abort()

    return asyncio.run(ask())


def _by_http_client(context: ssl.SSLContext, host: str, port: int) -> str:
    connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def _by_aiohttp(context: ssl.SSLContext, host: str, port: int) -> str:
    async def ask() -> str:
        connector = aiohttp.TCPConnector(ssl=context, resolver=aiohttp.ThreadedResolver())
        async with aiohttp.ClientSession(connector=connector) as session:
            texts = []
            # The second goes by the connection of the first, where that is kept.
            for _ in range(2):
                async with session.get(f"https://{host}:{port}/") as response:
                    texts.append(await response.text())
            assert 1 == len(set(texts)), texts
            return texts[0]

    return asyncio.run(ask())


def _by_pyopenssl(context: Any, host: str, port: int) -> str:
    with _connected(host, port) as plain:
        plain.settimeout(None)
        connection = SSL.Connection(context, plain)
        if host != LOOPBACK:
            connection.set_tlsext_host_name(host.encode())
        connection.set_connect_state()
        connection.do_handshake()
        return _converse(connection)


_ASKING: dict[str, Callable[[Any, str, int], str]] = {
    "wrap": _wrap,
    "wrap-then-connect": _wrap_then_connect,
    "wrap-dialled-without-name": _wrap_dialled_without_name,
    "wrap-without-name": _wrap_without_name,
    "asyncio": _by_asyncio,
    "asyncio-on-socket": _by_asyncio_on_socket,
    "start_tls": _by_start_tls,
    "http.client": _by_http_client,
    "aiohttp": _by_aiohttp,
    "pyopenssl": _by_pyopenssl,
}


def _make_urllib3(context: Any, proxy: str | None) -> Any:
    options: dict[str, Any] = {"ssl_context": context, "timeout": TIMEOUT, "maxsize": 8}
    if proxy is None:
        return urllib3.PoolManager(**options)
    return urllib3.ProxyManager(proxy, proxy_ssl_context=context, **options)


def _make_httpx(context: Any, proxy: str | None) -> Any:
    through = None if proxy is None else httpx.Proxy(proxy, ssl_context=_tls(context, proxy))
    return httpx.Client(verify=context, proxy=through, timeout=TIMEOUT, trust_env=False)


def _tls(context: Any, proxy: str) -> Any:
    return context if proxy.startswith("https:") else None


_MAKING: dict[str, Callable[[Any, str | None], Any]] = {}
_MAKING["urllib3"] = _make_urllib3
_MAKING["httpx"] = _make_httpx
