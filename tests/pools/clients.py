"""Clients that keep connections; each becomes a function from a URL to the server's JSON.

Every client trusts one file of authorities and may have a proxy. The asynchronous ones run on an
event loop of their own, in the context of the caller of each call.
"""

from __future__ import annotations

import functools
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Optional
from urllib.parse import urlsplit

import mxcert_runtime
from tests.support.event_loop import event_loop
from tests.support.listener import TIMEOUT

Get = Callable[[str], Any]
#: file of authorities and URL of a proxy in
Client = Callable[[str, Optional[str]], AbstractContextManager[Get]]


def scope(service: str | None) -> Any:
    """The scope of a service, or of none."""
    return nullcontext() if service is None else mxcert_runtime.service(service)


@contextmanager
def requests_session(ca_file: str, proxy: str | None = None) -> Iterator[Get]:
    """``requests.Session``."""
    import requests

    with requests.Session() as session:
        session.verify = ca_file
        session.proxies = {} if proxy is None else {"http": proxy, "https": proxy}
        yield lambda url: session.get(url, timeout=TIMEOUT).json()


def _urllib3_manager(ca_file: str, proxy: str | None, **bounds: Any) -> Any:
    import urllib3

    options = {"ca_certs": ca_file, "retries": False, "timeout": TIMEOUT, **bounds}
    if proxy is None:
        return urllib3.PoolManager(**options)
    if proxy.startswith("socks"):
        from urllib3.contrib.socks import SOCKSProxyManager

        return SOCKSProxyManager(proxy, **options)
    return urllib3.ProxyManager(proxy, **options)


@contextmanager
def urllib3_manager(ca_file: str, proxy: str | None = None, **bounds: Any) -> Iterator[Get]:
    """``urllib3.PoolManager`` or ``ProxyManager``."""
    with _urllib3_manager(ca_file, proxy, **bounds) as manager:
        yield lambda url: json.loads(manager.request("GET", url).data)


@contextmanager
def urllib3_host_pool(ca_file: str, proxy: str | None = None, **bounds: Any) -> Iterator[Get]:
    """``urllib3.HTTPSConnectionPool``, one for each endpoint."""
    import urllib3

    assert proxy is None
    made: dict[str, Any] = {}

    def get(url: str) -> Any:
        parts = urlsplit(url)
        if parts.netloc not in made:
            made[parts.netloc] = urllib3.HTTPSConnectionPool(
                parts.hostname, parts.port, ca_certs=ca_file, timeout=TIMEOUT, **bounds
            )
        return json.loads(made[parts.netloc].request("GET", parts.path, retries=False).data)

    try:
        yield get
    finally:
        for pool in made.values():
            pool.close()


def _httpx_options(ca_file: str, proxy: str | None, bounds: dict[str, Any]) -> dict[str, Any]:
    import httpx

    context = ssl.create_default_context(cafile=ca_file)
    kept: Any = proxy
    if proxy is not None and proxy.startswith("https:"):
        kept = httpx.Proxy(proxy, ssl_context=context)
    limits = httpx.Limits(**{"max_connections": 100, **bounds})
    return {"verify": context, "proxy": kept, "limits": limits, "timeout": TIMEOUT}


@contextmanager
def httpx_client(ca_file: str, proxy: str | None = None, **bounds: Any) -> Iterator[Get]:
    """``httpx.Client``."""
    import httpx

    with httpx.Client(**_httpx_options(ca_file, proxy, bounds)) as client:
        yield lambda url: client.get(url).json()


@contextmanager
def httpx_async_client(ca_file: str, proxy: str | None = None, **bounds: Any) -> Iterator[Get]:
    """``httpx.AsyncClient``."""
    import httpx

    client = httpx.AsyncClient(**_httpx_options(ca_file, proxy, bounds))

    async def get(url: str) -> Any:
        return (await client.get(url)).json()

    with event_loop(client.aclose) as run:
        yield lambda url: run(get(url))


def _connector(socks: str | None, **options: Any) -> Any:
    import aiohttp

    if socks is None:
        return aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver(), **options)
    from aiohttp_socks import ProxyConnector

    scheme, _, rest = socks.partition("://")
    return ProxyConnector.from_url(f"socks5://{rest}", rdns=scheme == "socks5h", **options)


@contextmanager
def aiohttp_session(ca_file: str, proxy: str | None = None, **bounds: Any) -> Iterator[Get]:
    """``aiohttp.ClientSession``."""
    import aiohttp

    context = ssl.create_default_context(cafile=ca_file)
    kept: list[aiohttp.ClientSession] = []
    socks = proxy if proxy is not None and proxy.startswith("socks") else None

    async def get(url: str) -> Any:
        if not kept:
            connector = _connector(socks, ssl=context, **bounds)
            kept.append(aiohttp.ClientSession(connector=connector))
        through = None if socks else proxy
        async with kept[0].get(url, proxy=through) as response:
            return await response.json(content_type=None)

    async def close() -> None:
        for session in kept:
            await session.close()

    with event_loop(close) as run:
        yield lambda url: run(get(url))


def _bound(client: Any, **bounds: Any) -> Client:
    made = functools.partial(client, **bounds)
    limits = "-".join(f"{name}={value}" for name, value in bounds.items())
    made.__name__ = f"{client.__name__}-{limits}"  # type: ignore[attr-defined]
    return made


#: clients without a bound that matters to one caller
UNBOUND: tuple[Client, ...] = (
    requests_session,
    urllib3_manager,
    urllib3_host_pool,
    httpx_client,
    httpx_async_client,
    aiohttp_session,
)
#: clients that have room for one connection in use, and may keep others
ONE_IN_USE: tuple[Client, ...] = (
    _bound(urllib3_manager, maxsize=1, block=True),
    _bound(urllib3_host_pool, maxsize=1, block=True),
    _bound(aiohttp_session, limit=1),
    _bound(aiohttp_session, limit_per_host=1),
)
#: clients that have room for one connection in all
ONE_IN_ALL: tuple[Client, ...] = (
    _bound(httpx_client, max_connections=1),
    _bound(httpx_async_client, max_connections=1),
)
ALL: tuple[Client, ...] = (*UNBOUND, *ONE_IN_USE, *ONE_IN_ALL)
#: clients that can have a proxy
PROXIED: tuple[Client, ...] = (
    requests_session,
    urllib3_manager,
    httpx_client,
    httpx_async_client,
    aiohttp_session,
)


def name_of(client: Client) -> str:
    """The name of a client in the list of tests."""
    name: str = client.__name__  # type: ignore[attr-defined]
    return name
