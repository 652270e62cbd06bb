"""A request over a new connection of a kept context, beside one with its own certificate."""

from __future__ import annotations

import contextlib
import functools
import http.client
import urllib.request
from collections.abc import Iterator

from .loopback import KeptClient, Request, Target, loopback, switched_off, switching_on
from .measure import Effort, Figure, alternate
from .requests_pooled import aiohttp_session, default_context
from .workers import by_hand

NAME = "requests_new_connection"

_CALLS = 40
_LAST = {"Connection": "close"}


@contextlib.contextmanager
def urllib3_pool(target: Target) -> Iterator[Request]:
    """``urllib3.PoolManager`` with a context, and a server that closes."""
    import urllib3

    with urllib3.PoolManager(ssl_context=default_context(target)) as pool:
        yield lambda: pool.request("GET", target.url, headers=_LAST).data


@contextlib.contextmanager
def http_client(target: Target) -> Iterator[Request]:
    """``http.client.HTTPSConnection``, a new one each time."""
    context = default_context(target)

    def request() -> bytes:
        connection = http.client.HTTPSConnection(target.host, target.port, context=context)
        with contextlib.closing(connection):
            connection.request("GET", "/", headers=_LAST)
            return connection.getresponse().read()

    yield request


@contextlib.contextmanager
def urllib_request(target: Target) -> Iterator[Request]:
    """An opener of ``urllib.request`` with an ``HTTPSHandler``."""
    handler = urllib.request.HTTPSHandler(context=default_context(target))
    opener = urllib.request.build_opener(handler)

    def request() -> bytes:
        with opener.open(target.url) as response:
            content: bytes = response.read()
            return content

    yield request


@contextlib.contextmanager
def httpx_client(target: Target) -> Iterator[Request]:
    """``httpx.Client`` that keeps no connection."""
    import httpx

    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(verify=default_context(target), limits=limits) as client:
        yield lambda: client.get(target.url).content


CLIENTS: dict[str, KeptClient] = {
    "urllib3": urllib3_pool,
    "http.client": http_client,
    "urllib.request": urllib_request,
    "httpx": httpx_client,
    "aiohttp": functools.partial(aiohttp_session, force_close=True),
}


def measure(effort: Effort) -> list[Figure]:
    """One ratio for each client where the identity is pinned; one where the request chooses."""
    loops = effort.sized(10 * _CALLS) // 10
    with loopback() as servers:
        target, native = servers.target(), servers.native()
        pinned = switching_on(servers.pinned)
        figures: list[Figure] = [
            alternate(
                name,
                servers.keeping("mxcert_runtime", pinned, client, target),
                servers.keeping("cert=", switched_off, client, native),
                effort,
                loops=loops,
            )
            for name, client in CLIENTS.items()
        ]
        chosen = servers.keeping(
            "mxcert_runtime", switching_on(servers.choosing), http_client, target
        )
        own = servers.keeping("cert=", switched_off, http_client, native)
        name = "http.client, the request chooses"
        figures.append(alternate(name, chosen, own, effort, loops=loops))
        return figures


if __name__ == "__main__":
    by_hand(NAME)
