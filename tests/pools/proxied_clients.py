"""Clients of proxies, and the forms in which they use one.

As in :mod:`.clients`, a client becomes a function from a URL to JSON: the server's, or that of a
proxy that is asked to forward.
"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from tests.pools import clients
from tests.pools.clients import Client, Get
from tests.support.event_loop import event_loop
from tests.support.listener import TIMEOUT


class Form(Enum):
    """How a client reaches a server by way of a proxy."""

    TUNNEL = "CONNECT"
    TLS_TUNNEL = "CONNECT in TLS"
    FORWARD = "forwarding by TLS"
    SOCKS = "SOCKS5"
    REMOTE_SOCKS = "SOCKS5, which finds the address"


def _options(ca_file: str, proxy: str | None) -> dict[str, Any]:
    import httpcore

    context = ssl.create_default_context(cafile=ca_file)
    to_proxy = context if str(proxy).startswith("https:") else None
    return {"ssl_context": context, "proxy": httpcore.Proxy(str(proxy), ssl_context=to_proxy)}


@contextmanager
def httpcore_pool(ca_file: str, proxy: str | None = None) -> Iterator[Get]:
    """``httpcore.ConnectionPool``, whose proxy is given to it."""
    import httpcore

    with httpcore.ConnectionPool(**_options(ca_file, proxy)) as pool:
        yield lambda url: json.loads(pool.request("GET", url).content)


@contextmanager
def httpcore_async_pool(ca_file: str, proxy: str | None = None) -> Iterator[Get]:
    """``httpcore.AsyncConnectionPool``."""
    import httpcore

    pool = httpcore.AsyncConnectionPool(**_options(ca_file, proxy))

    async def get(url: str) -> Any:
        return json.loads((await pool.request("GET", url)).content)

    with event_loop(pool.aclose) as run:
        yield lambda url: run(get(url))


@contextmanager
def httpcore_proxy_class(ca_file: str, proxy: str | None = None) -> Iterator[Get]:
    """``httpcore.HTTPProxy`` and ``SOCKSProxy``, which httpx has used."""
    import httpcore

    options = _options(ca_file, proxy)
    of_proxy = options.pop("proxy")
    if str(proxy).startswith("socks"):
        pool: Any = httpcore.SOCKSProxy(str(proxy), **options)
    else:
        pool = httpcore.HTTPProxy(str(proxy), proxy_ssl_context=of_proxy.ssl_context, **options)
    with pool:
        yield lambda url: json.loads(pool.request("GET", url).content)


@contextmanager
def urllib3_forwarding(ca_file: str, proxy: str | None = None) -> Iterator[Get]:
    """``urllib3.ProxyManager`` that lets its proxy fetch ``https`` URLs as well."""
    import urllib3

    manager = urllib3.ProxyManager(
        str(proxy), ca_certs=ca_file, use_forwarding_for_https=True, retries=False, timeout=TIMEOUT
    )
    with manager:
        yield lambda url: json.loads(manager.request("GET", "https" + url[4:]).data)


@contextmanager
def http_client(ca_file: str, proxy: str | None = None) -> Iterator[Get]:
    """``http.client``: a tunnel, or one connection to the proxy that is asked for whole URLs."""
    parts = urlsplit(str(proxy))
    context = ssl.create_default_context(cafile=ca_file)

    def connect() -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            str(parts.hostname), parts.port, timeout=TIMEOUT, context=context
        )

    def get(url: str) -> Any:
        if urlsplit(url).scheme == "http":
            return _ask(kept, url)
        with closing(connect()) as connection:
            connection.set_tunnel(str(urlsplit(url).hostname), urlsplit(url).port)
            return _ask(connection, "/")

    with closing(connect()) as kept:
        yield get


def _ask(connection: http.client.HTTPSConnection, target: str) -> Any:
    connection.request("GET", target)
    return json.load(connection.getresponse())


@contextmanager
def urllib_request(ca_file: str, proxy: str | None = None) -> Iterator[Get]:
    """``urllib.request`` with its handler of proxies."""
    # It can speak TLS to a proxy that forwards, and to none in which it needs a tunnel.
    scheme = "http" if str(proxy).startswith("https:") else "https"
    through = urllib.request.ProxyHandler({scheme: str(proxy)})
    context = ssl.create_default_context(cafile=ca_file)
    opener = urllib.request.build_opener(through, urllib.request.HTTPSHandler(context=context))

    def get(url: str) -> Any:
        with opener.open(url, timeout=TIMEOUT) as response:
            return json.load(response)

    yield get


_HTTP = Form.TUNNEL, Form.TLS_TUNNEL, Form.FORWARD
#: each client with the forms that it has
TABLE: dict[Client, tuple[Form, ...]] = {
    **dict.fromkeys(clients.PROXIED, tuple(Form)),
    httpcore_pool: tuple(Form),
    httpcore_async_pool: tuple(Form),
    httpcore_proxy_class: tuple(Form),
    urllib3_forwarding: (Form.FORWARD,),
    http_client: (Form.TUNNEL, Form.FORWARD),
    urllib_request: (Form.TUNNEL, Form.FORWARD),
}
#: clients that open a connection for each request, but for what `http.client` forwards
UNPOOLED = http_client, urllib_request
