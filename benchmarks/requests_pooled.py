"""A request over a connection that a client keeps, with the plugin beside a native ``cert=``.

What is measured is the processor time of the client's process; waits for the server vary by more
than the budget allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import ssl
from collections.abc import Iterator

from .loopback import (
    KeptClient,
    Request,
    Target,
    loopback,
    processor_time,
    switching_off,
    switching_on,
)
from .measure import Effort, Figure, alternate
from .workers import by_hand

NAME = "requests_pooled"

_CALLS = 100
#: A pair varies by 8 % either way, and the budget is 2 %: so many times more pairs are needed.
_PAIRS = 4


def default_context(target: Target) -> ssl.SSLContext:
    """A context with default trust, and the caller's own certificate where it has one."""
    context = ssl.create_default_context()
    if target.certificate is not None:
        context.load_cert_chain(*target.certificate)
    return context


@contextlib.contextmanager
def requests_session(target: Target) -> Iterator[Request]:
    """``requests.Session``."""
    import requests

    with requests.Session() as session:
        session.cert = target.certificate
        yield lambda: session.get(target.url).content


@contextlib.contextmanager
def urllib3_pool(target: Target) -> Iterator[Request]:
    """``urllib3.PoolManager``."""
    import urllib3

    certificate, key = target.certificate or (None, None)
    with urllib3.PoolManager(cert_file=certificate, key_file=key) as pool:
        yield lambda: pool.request("GET", target.url).data


@contextlib.contextmanager
def httpx_client(target: Target) -> Iterator[Request]:
    """``httpx.Client``."""
    import httpx

    with httpx.Client(verify=default_context(target)) as client:
        yield lambda: client.get(target.url).content


@contextlib.contextmanager
def http_client(target: Target) -> Iterator[Request]:
    """``http.client.HTTPSConnection``."""
    connection = http.client.HTTPSConnection(
        target.host, target.port, context=default_context(target)
    )

    def request() -> bytes:
        connection.request("GET", "/")
        return connection.getresponse().read()

    with contextlib.closing(connection):
        yield request


@contextlib.contextmanager
def aiohttp_session(target: Target, *, force_close: bool = False) -> Iterator[Request]:
    """``aiohttp.ClientSession``, one request after the other on one event loop.

    With ``force_close`` it keeps no connection.
    """
    import aiohttp

    loop = asyncio.new_event_loop()

    async def open_session() -> aiohttp.ClientSession:
        resolver = aiohttp.ThreadedResolver()
        connector = aiohttp.TCPConnector(
            ssl=default_context(target), resolver=resolver, force_close=force_close
        )
        return aiohttp.ClientSession(connector=connector)

    async def get() -> bytes:
        async with session.get(target.url) as response:
            return await response.read()

    with contextlib.closing(loop):
        session = loop.run_until_complete(open_session())
        yield lambda: loop.run_until_complete(get())
        loop.run_until_complete(session.close())
        # Its connections end on the loop.
        loop.run_until_complete(asyncio.sleep(0.01))


CLIENTS: dict[str, KeptClient] = {
    "requests": requests_session,
    "urllib3": urllib3_pool,
    "httpx": httpx_client,
    "http.client": http_client,
    "aiohttp": aiohttp_session,
}


def measure(effort: Effort) -> list[Figure]:
    """One ratio for each client."""
    loops = effort.sized(_CALLS)
    more = dataclasses.replace(effort, pairs=effort.pairs * _PAIRS)
    with loopback() as servers:
        active, inactive = switching_on(servers.pinned), switching_off(servers.pinned)
        return [
            alternate(
                name,
                servers.keeping("mxcert_runtime", active, client, servers.target(), processor_time),
                servers.keeping("cert=", inactive, client, servers.native(), processor_time),
                more,
                loops=loops,
            )
            for name, client in CLIENTS.items()
        ]


if __name__ == "__main__":
    by_hand(NAME)
