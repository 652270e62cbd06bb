"""One GET with each client library: URL and SSL context in, the JSON of the test server out.

Every library is imported where it is used, so that client processes can use these calls too.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from tests.support.raw_http import MemoryConnection, body_of, request_to

#: as :data:`tests.support.listener.TIMEOUT`, which client processes need not load
TIMEOUT = 60

Call = Callable[[str, ssl.SSLContext], Any]


def endpoint_of(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def request_for(url: str) -> bytes:
    """A GET as bytes, after which the server closes."""
    return request_to(endpoint_of(url)[0])


def urllib_request(url: str, context: ssl.SSLContext) -> Any:
    """``urllib.request.urlopen``."""
    with urllib.request.urlopen(url, timeout=TIMEOUT, context=context) as response:  # noqa: S310
        return json.load(response)


def http_client(url: str, context: ssl.SSLContext) -> Any:
    """``http.client.HTTPSConnection``."""
    host, port = endpoint_of(url)
    connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    with closing(connection):
        connection.request("GET", "/")
        return json.load(connection.getresponse())


def wrap_socket(url: str, context: ssl.SSLContext) -> Any:
    """``SSLContext.wrap_socket``."""
    host, port = endpoint_of(url)
    plain = socket.create_connection((host, port), TIMEOUT)
    with plain, context.wrap_socket(plain, server_hostname=host) as connection:
        connection.sendall(request_for(url))
        with connection.makefile("rb") as answer:
            return body_of(answer.read())


def wrap_bio(url: str, context: ssl.SSLContext) -> Any:
    """``SSLContext.wrap_bio`` with memory BIOs, whose port nobody tells."""
    host, port = endpoint_of(url)
    with socket.create_connection((host, port), TIMEOUT) as plain:
        return body_of(MemoryConnection(plain, context, host).exchange(request_to(host)))


def open_connection(url: str, context: ssl.SSLContext) -> Any:
    """``asyncio.open_connection``."""

    async def get() -> bytes:
        host, port = endpoint_of(url)
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        try:
            writer.write(request_for(url))
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()

    return body_of(asyncio.run(get()))


def requests_session(url: str, context: ssl.SSLContext) -> Any:
    """``requests.Session`` with an adapter that takes the context."""
    import requests.adapters

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> Any:
            return super().init_poolmanager(*args, **kwargs, ssl_context=context)

        def cert_verify(self, *args: Any, **kwargs: Any) -> None:
            """Leave trust to the context."""

        def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
            host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
            return host, {**pool, "ssl_context": context, "ca_certs": None}

    with requests.Session() as session:
        session.mount("https://", Adapter())
        return session.get(url, timeout=TIMEOUT).json()


def urllib3_pool(url: str, context: ssl.SSLContext) -> Any:
    """``urllib3.PoolManager``."""
    import urllib3

    with urllib3.PoolManager(ssl_context=context, retries=False) as pool:
        return json.loads(pool.request("GET", url, timeout=TIMEOUT).data)


def httpx_client(url: str, context: ssl.SSLContext) -> Any:
    """``httpx.Client``."""
    import httpx

    with httpx.Client(verify=context, timeout=TIMEOUT) as client:
        return client.get(url).json()


def httpx_get(url: str, context: ssl.SSLContext) -> Any:
    """``httpx.get``."""
    import httpx

    return httpx.get(url, verify=context, timeout=TIMEOUT).json()


def httpx_async(url: str, context: ssl.SSLContext) -> Any:
    """``httpx.AsyncClient``."""
    import httpx

    async def get() -> Any:
        async with httpx.AsyncClient(verify=context, timeout=TIMEOUT) as client:
            return (await client.get(url)).json()

    return asyncio.run(get())


def aiohttp_session(url: str, context: ssl.SSLContext) -> Any:
    """``aiohttp.ClientSession``."""
    import aiohttp

    async def get() -> Any:
        resolver = aiohttp.ThreadedResolver()
        connector = aiohttp.TCPConnector(ssl=context, resolver=resolver)
        session = aiohttp.ClientSession(connector=connector)
        async with session, session.get(url) as response:
            return await response.json()

    return asyncio.run(get())


STANDARD: tuple[Call, ...] = (urllib_request, http_client, wrap_socket, wrap_bio, open_connection)
URLLIB3: tuple[Call, ...] = (requests_session, urllib3_pool)
HTTPX: tuple[Call, ...] = (httpx_client, httpx_get, httpx_async)
AIOHTTP: tuple[Call, ...] = (aiohttp_session,)
ALL: tuple[Call, ...] = (*STANDARD, *URLLIB3, *HTTPX, *AIOHTTP)


def name_of(call: Call) -> str:
    """The name of a call in the list of tests."""
    return call.__name__
