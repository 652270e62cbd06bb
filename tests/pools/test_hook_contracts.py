"""What the hooks of pools, event loops and sessions replace, and how it comes back."""

from __future__ import annotations

import importlib
import importlib.util
import ssl
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime import hooks
from mxcert_runtime.hooks.patching import Patch
from tests.support.hook_contract import HookContract, Target
from tests.support.scene import Scene

needs_socksio = pytest.mark.skipif(
    importlib.util.find_spec("socksio") is None, reason="needs socksio"
)


class TestUrllib3Pools(HookContract):
    targets = (
        "urllib3.connectionpool:HTTPSConnectionPool._get_conn",
        "urllib3.connectionpool:HTTPSConnectionPool.urlopen",
        "urllib3.connectionpool:HTTPSConnectionPool.close",
        "urllib3.util.retry:Retry.increment",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import json

        import urllib3

        with urllib3.PoolManager(ca_certs=ca_file) as manager:
            pool = manager.connection_from_url(url)
            try:
                return json.loads(pool.request("GET", "/redirect?to=/").data)
            finally:
                pool.close()


class TestHttpcore(HookContract):
    targets = (
        "httpcore._sync.connection_pool:ConnectionPool.handle_request",
        "httpcore._sync.connection:HTTPConnection._connect",
        "httpcore._sync.connection:HTTPConnection.can_handle_request",
        "httpcore._sync.connection:HTTPConnection.has_expired",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import ssl

        import httpx

        context = ssl.create_default_context(cafile=ca_file)
        with httpx.Client(verify=context, timeout=60) as client:
            return client.get(url).json()


class TestRequests(HookContract):
    targets = ("requests.adapters:HTTPAdapter.send",)

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import requests

        return requests.get(url, verify=ca_file, timeout=60).json()


class TestHttpx(HookContract):
    targets = (
        "httpx._transports.default:HTTPTransport.handle_request",
        "httpx._transports.default:AsyncHTTPTransport.handle_async_request",
    )
    call = staticmethod(TestHttpcore.call)


class TestHttpcoreProxies(HookContract):
    targets = (
        "httpcore._sync.http_proxy:TunnelHTTPConnection.handle_request",
        "httpcore._sync.http_proxy:TunnelHTTPConnection.can_handle_request",
        "httpcore._sync.http_proxy:TunnelHTTPConnection.has_expired",
        "httpcore._sync.http_proxy:ForwardHTTPConnection.handle_request",
        "httpcore._sync.http_proxy:ForwardHTTPConnection.can_handle_request",
        "httpcore._sync.http_proxy:ForwardHTTPConnection.has_expired",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        from tests.pools.clients import httpx_client
        from tests.support.proxy import ConnectProxy

        with ConnectProxy() as proxy, httpx_client(ca_file, proxy.url()) as get:
            assert {} == get("http://plain.test/")
            return [get(url) for _ in range(2)][1]


class TestAsyncHttpcoreProxies(HookContract):
    targets = (
        "httpcore._async.http_proxy:AsyncTunnelHTTPConnection.handle_async_request",
        "httpcore._async.http_proxy:AsyncTunnelHTTPConnection.can_handle_request",
        "httpcore._async.http_proxy:AsyncTunnelHTTPConnection.has_expired",
        "httpcore._async.http_proxy:AsyncForwardHTTPConnection.handle_async_request",
        "httpcore._async.http_proxy:AsyncForwardHTTPConnection.can_handle_request",
        "httpcore._async.http_proxy:AsyncForwardHTTPConnection.has_expired",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        from tests.pools.clients import httpx_async_client
        from tests.support.proxy import ConnectProxy

        with ConnectProxy() as proxy, httpx_async_client(ca_file, proxy.url()) as get:
            assert {} == get("http://plain.test/")
            return [get(url) for _ in range(2)][1]


@needs_socksio
class TestHttpcoreSocks(HookContract):
    targets = (
        "httpcore._sync.socks_proxy:Socks5Connection.handle_request",
        "httpcore._sync.socks_proxy:Socks5Connection.can_handle_request",
        "httpcore._sync.socks_proxy:Socks5Connection.has_expired",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        from tests.pools.clients import httpx_client
        from tests.support.socks_proxy import SocksProxy

        with SocksProxy() as proxy, httpx_client(ca_file, proxy.url()) as get:
            return [get(url) for _ in range(2)][1]


@needs_socksio
class TestAsyncHttpcoreSocks(HookContract):
    targets = (
        "httpcore._async.socks_proxy:AsyncSocks5Connection.handle_async_request",
        "httpcore._async.socks_proxy:AsyncSocks5Connection.can_handle_request",
        "httpcore._async.socks_proxy:AsyncSocks5Connection.has_expired",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        from tests.pools.clients import httpx_async_client
        from tests.support.socks_proxy import SocksProxy

        with SocksProxy() as proxy, httpx_async_client(ca_file, proxy.url()) as get:
            return [get(url) for _ in range(2)][1]


class TestAsyncHttpcore(HookContract):
    targets = (
        "httpcore._async.connection_pool:AsyncConnectionPool.handle_async_request",
        "httpcore._async.connection:AsyncHTTPConnection._connect",
        "httpcore._async.connection:AsyncHTTPConnection.can_handle_request",
        "httpcore._async.connection:AsyncHTTPConnection.has_expired",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import asyncio
        import ssl

        import httpx

        async def get() -> Any:
            context = ssl.create_default_context(cafile=ca_file)
            async with httpx.AsyncClient(verify=context, timeout=60) as client:
                return (await client.get(url)).json()

        return asyncio.run(get())


class TestAiohttp(HookContract):
    targets = (
        "aiohttp.connector:TCPConnector._create_connection",
        "aiohttp.connector:TCPConnector._release",
        "aiohttp.connector:TCPConnector._create_direct_connection",
        "aiohttp.connector:TCPConnector._start_tls_connection",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import asyncio
        import ssl

        import aiohttp

        async def get() -> Any:
            context = ssl.create_default_context(cafile=ca_file)
            connector = aiohttp.TCPConnector(ssl=context, resolver=aiohttp.ThreadedResolver())
            session = aiohttp.ClientSession(connector=connector)
            async with session, session.get(url) as response:
                return await response.json()

        return asyncio.run(get())


class TestAsyncio(HookContract):
    targets = (
        "asyncio.base_events:BaseEventLoop.create_connection",
        "asyncio.base_events:BaseEventLoop.start_tls",
        "asyncio.sslproto:SSLProtocol.connection_lost",
    )

    @staticmethod
    def call(url: str, ca_file: str) -> Any:
        import asyncio
        import json
        import ssl
        from urllib.parse import urlsplit

        async def get() -> bytes:
            parts = urlsplit(url)
            context = ssl.create_default_context(cafile=ca_file)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

        return json.loads(asyncio.run(get()).partition(b"\r\n\r\n")[2])


def test_connection_key(scene: Scene) -> None:
    """``ClientRequest.connection_key``, a property: replaced, and the very same one afterwards."""
    pytest.importorskip("aiohttp")
    target = Target.parse("aiohttp.client_reqrep:ClientRequest.connection_key")
    before = target.stored
    for _ in range(2):
        scene.activate_hosts()
        assert before is not target.stored
        mxcert_runtime.deactivate()
        assert before is target.stored


def test_twice_is_once(scene: Scene) -> None:
    """A second activation does not wrap the property again."""
    pytest.importorskip("aiohttp")
    target = Target.parse("aiohttp.client_reqrep:ClientRequest.connection_key")
    scene.activate_hosts()
    once = target.stored
    scene.activate_hosts()
    assert once is target.stored


#: Hooks that tests/unnamed and tests/hooks hold to the same: their methods are C's, speak no HTTP,
#: or change the process.
_ELSEWHERE = (
    *("socket", "gevent", "amqp.", "ldap3.", "cassandra.", "oracledb."),
    *("pytds.", "mysql.", "ftplib"),
    *("eventlet.", "twisted.", "grpc.", "grpclib.", "pycurl", "tornado.", "urllib3_future."),
)
#: A pre-shared key (Python 3.13) stands in the place of certificates: nothing could be shown of it.
_METHODS_ELSEWHERE = {
    (ssl.SSLSocket, "connect"),
    (ssl.SSLSocket, "connect_ex"),
    (ssl.SSLContext, "set_psk_client_callback"),
}


def _hooked_methods() -> set[tuple[Any, str]]:
    """Owner and name of all that the hooks replace, but for properties."""
    found = set()
    for library in hooks.LIBRARIES:
        if library.module.startswith(_ELSEWHERE):
            continue
        try:
            importlib.import_module(library.module)
        except ModuleNotFoundError:
            continue
        found.update(
            (patch._owner(), patch._name)
            for patch in library.found().patches()
            if type(patch) is Patch and not isinstance(patch._find()[1], property)
        )
    return found


def _contracts_of(base: type[HookContract]) -> list[type[HookContract]]:
    return [each for own in base.__subclasses__() for each in (own, *_contracts_of(own))]


def test_every_hook_keeps_the_contract() -> None:
    """What the hooks replace are targets of some contract, all of it."""
    root = Path(__file__).parent.parent
    for path in root.rglob("test_*.py"):
        if "(HookContract)" in path.read_text(encoding="utf-8"):
            importlib.import_module(".".join(path.relative_to(root.parent).with_suffix("").parts))
    targets = [Target.parse(text) for each in _contracts_of(HookContract) for text in each.targets]
    known = {(target.owner, target.name) for target in targets}
    assert set() == _hooked_methods() - known - _METHODS_ELSEWHERE
