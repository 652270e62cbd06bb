"""Clients that keep what they have between calls; each becomes a function from a URL to an answer.

Every client trusts one file of authorities and follows redirects where it can. The asynchronous
ones run on an event loop of their own, in the context of the caller of each call.
"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.support.event_loop import event_loop
from tests.support.listener import TIMEOUT

Get = Callable[[str], Any]
PooledClient = Callable[[str], AbstractContextManager[Get]]


@contextmanager
def requests_session(ca_file: str) -> Iterator[Get]:
    """``requests.Session``."""
    import requests

    with requests.Session() as session:
        session.verify = ca_file
        yield lambda url: session.get(url, timeout=TIMEOUT).json()


@contextmanager
def urllib3_manager(ca_file: str) -> Iterator[Get]:
    """``urllib3.PoolManager``."""
    import urllib3

    retries = urllib3.Retry(3, connect=0, read=0)
    with urllib3.PoolManager(ca_certs=ca_file, retries=retries) as manager:
        yield lambda url: json.loads(manager.request("GET", url, timeout=TIMEOUT).data)


@contextmanager
def httpx_client(ca_file: str) -> Iterator[Get]:
    """``httpx.Client``."""
    import httpx

    context = ssl.create_default_context(cafile=ca_file)
    with httpx.Client(verify=context, timeout=TIMEOUT, follow_redirects=True) as client:
        yield lambda url: client.get(url).json()


@contextmanager
def httpx_async_client(ca_file: str) -> Iterator[Get]:
    """``httpx.AsyncClient``."""
    import httpx

    context = ssl.create_default_context(cafile=ca_file)
    client = httpx.AsyncClient(verify=context, timeout=TIMEOUT, follow_redirects=True)

    async def get(url: str) -> Any:
        return (await client.get(url)).json()

    with event_loop(client.aclose) as run:
        yield lambda url: run(get(url))


@contextmanager
def aiohttp_session(ca_file: str) -> Iterator[Get]:
    """``aiohttp.ClientSession``."""
    import aiohttp

    context = ssl.create_default_context(cafile=ca_file)
    kept: list[aiohttp.ClientSession] = []

    async def get(url: str) -> Any:
        if not kept:
            resolver = aiohttp.ThreadedResolver()
            connector = aiohttp.TCPConnector(ssl=context, resolver=resolver)
            kept.append(aiohttp.ClientSession(connector=connector))
        async with kept[0].get(url) as response:
            return await response.json()

    async def close() -> None:
        for session in kept:
            await session.close()

    with event_loop(close) as run:
        yield lambda url: run(get(url))


@contextmanager
def http_client_connections(ca_file: str) -> Iterator[Get]:
    """One ``http.client.HTTPSConnection`` for each endpoint, which dials anew for each call."""
    context = ssl.create_default_context(cafile=ca_file)
    kept: dict[str, http.client.HTTPSConnection] = {}
    with ExitStack() as stack:

        def get(url: str) -> Any:
            parts = urlsplit(url)
            if parts.netloc not in kept:
                made = http.client.HTTPSConnection(parts.netloc, timeout=TIMEOUT, context=context)
                kept[parts.netloc] = stack.enter_context(closing(made))
            connection = kept[parts.netloc]
            connection.request("GET", parts.path, headers={"Connection": "close"})
            return json.load(connection.getresponse())

        yield get


@contextmanager
def urllib_opener(ca_file: str) -> Iterator[Get]:
    """One opener of ``urllib.request``; it keeps its context and no connection."""
    context = ssl.create_default_context(cafile=ca_file)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def get(url: str) -> Any:
        with opener.open(url, timeout=TIMEOUT) as response:
            return json.load(response)

    yield get


#: clients that keep their connections for the next call
POOLS: tuple[PooledClient, ...] = (
    requests_session,
    urllib3_manager,
    httpx_client,
    httpx_async_client,
    aiohttp_session,
)
#: those, and clients that keep only the object that dials
ALL: tuple[PooledClient, ...] = (*POOLS, http_client_connections, urllib_opener)
#: clients that follow a redirect by themselves
FOLLOWING: tuple[PooledClient, ...] = (*POOLS, urllib_opener)


def name_of(client: PooledClient) -> str:
    """The name of a client in the list of tests."""
    return client.__name__
