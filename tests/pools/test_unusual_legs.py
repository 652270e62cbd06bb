"""Legs off the beaten track: failures half-way, second tries, upgrades, whoever else dials."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import ssl
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pools import clients, proxied_clients
from tests.pools.clients import Client, Get, name_of, scope
from tests.pools.proxies import Proxies, activate_for_proxies, skip_without_tls_in_tls
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT, Listener
from tests.support.pki import Leaf
from tests.support.proxy import ConnectProxy, relay
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_HOST, HOSTS, NOBODY, Scene
from tests.support.socks_proxy import SocksProxy
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture
def plain_socket(scene: Scene) -> Iterator[socket.socket]:
    """A connection to the server, on which nothing has been said yet."""
    with socket.create_connection(("127.0.0.1", scene.server.port), TIMEOUT) as plain:
        yield plain


def _activate_port(scene: Scene) -> None:
    scene.activate(
        scene.files.identity("alpha", scene.alpha, hosts=[f"{ALPHA_HOST}:{scene.server.port}"])
    )


class TestUnused:
    """A leg that comes to nothing is not the next connection's."""

    # urllib3 1.26 leaves the socket of a tunnel that is refused to the garbage collector.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.parametrize("client", [*clients.PROXIED[:3], proxied_clients.http_client])
    def test_sync(
        self,
        client: Client,
        scene: Scene,
        server_stack: contextlib.ExitStack,
        plain_socket: socket.socket,
    ) -> None:
        """After a tunnel that the proxy refuses, a raw connection goes by its own port."""
        proxy = server_stack.enter_context(ConnectProxy(credentials="user:secret"))
        _activate_port(scene)
        with client(scene.ca_file, proxy.url()) as get, pytest.raises(Exception, match="407"):
            get(f"https://{ALPHA_HOST}:1/")
        gc.collect()
        with scene.context().wrap_socket(plain_socket, server_hostname=ALPHA_HOST):
            seen = scene.server.seen.wait_for(1)
        assert [scene.alpha.fingerprint] == [each.fingerprint for each in seen]

    @pytest.mark.parametrize("library", ["httpx", "aiohttp"])
    def test_async(
        self,
        library: str,
        scene: Scene,
        server_stack: contextlib.ExitStack,
        plain_socket: socket.socket,
    ) -> None:
        """The same within one task."""
        proxy = server_stack.enter_context(ConnectProxy(credentials="user:secret"))
        _activate_port(scene)

        async def main() -> None:
            with pytest.raises(Exception, match="407"):
                await _get_once(library, f"https://{ALPHA_HOST}:1/", proxy.url(), scene.context())
            plain_socket.setblocking(False)
            _, writer = await asyncio.open_connection(
                sock=plain_socket, ssl=scene.context(), server_hostname=ALPHA_HOST
            )
            writer.close()
            await writer.wait_closed()

        asyncio.run(asyncio.wait_for(main(), TIMEOUT))
        seen = scene.server.seen.wait_for(1)
        assert [scene.alpha.fingerprint] == [each.fingerprint for each in seen]


async def _get_once(library: str, url: str, proxy: str, context: ssl.SSLContext) -> None:
    if library == "httpx":
        import httpx

        async with httpx.AsyncClient(proxy=proxy, verify=context, timeout=TIMEOUT) as client:
            await client.get(url)
        return
    import aiohttp

    connector = aiohttp.TCPConnector(ssl=context, resolver=aiohttp.ThreadedResolver())
    async with aiohttp.ClientSession(connector=connector) as session:
        await session.get(url, proxy=proxy)


def test_credentials_asked_for(scene: Scene, tls_proxy: Proxies) -> None:
    """urllib.request dials anew after a 407, and the proxy sees its own both times."""
    proxy = tls_proxy(hosts=HOSTS, credentials="user:secret")
    activate_for_proxies(scene, BETA_HOST)
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, proxy.url(BETA_HOST), "user", "secret")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": proxy.url(BETA_HOST)}),
        urllib.request.ProxyBasicAuthHandler(passwords),
        urllib.request.HTTPSHandler(context=scene.context()),
    )
    with scope(ALPHA_SERVICE), opener.open("http://plain.test/", timeout=TIMEOUT) as response:
        assert scene.beta.fingerprint == json.load(response)["fingerprint"]
    assert [scene.beta.fingerprint] * 2 == [each.fingerprint for each in proxy.seen]


@pytest.fixture
def unsteady(server_stack: contextlib.ExitStack, scene: Scene) -> Listener:
    """Closes its first connection in the handshake, and passes the others on to the server."""

    def serve(client: socket.socket, number: int) -> None:
        if number == 1:
            client.recv(1)
            return
        with socket.create_connection(("127.0.0.1", scene.server.port), TIMEOUT) as server:
            relay(client, server)

    return server_stack.enter_context(Listener(serve))


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_tried_again(is_async: bool, scene: Scene, unsteady: Listener) -> None:
    """httpcore tries again by itself: the rule with a port counts for the second attempt too."""
    import httpx

    rule = f"{ALPHA_HOST}:{unsteady.port}"
    scene.activate(scene.files.identity("alpha", scene.alpha, hosts=[rule]))
    url, options = f"https://{rule}/", {"verify": scene.context(), "retries": 1}

    async def get() -> Any:
        transport = httpx.AsyncHTTPTransport(**options)
        async with httpx.AsyncClient(transport=transport, timeout=TIMEOUT) as client:
            return (await client.get(url)).json()

    if is_async:
        seen = asyncio.run(get())
    else:
        with httpx.Client(transport=httpx.HTTPTransport(**options), timeout=TIMEOUT) as client:
            seen = client.get(url).json()
    assert (scene.alpha.fingerprint, 2) == (seen["fingerprint"], unsteady.connections)


def test_dialled_by_a_body(scene: Scene, plain_proxy: ConnectProxy, tls_server: Any) -> None:
    """What the body of a request connects to while it is sent does not get the request's leg."""
    import httpx

    other: TlsServer = tls_server(hosts=HOSTS)
    scene.activate_hosts()

    def body() -> Iterator[bytes]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", other.port), TIMEOUT) as plain,
            context.wrap_socket(plain),
        ):
            yield b""

    with httpx.Client(verify=scene.context(), proxy=plain_proxy.url(), timeout=TIMEOUT) as client:
        for _ in range(2):
            answer = client.post(scene.url(), content=body(), headers={"Content-Length": "0"})
            assert scene.alpha.fingerprint == answer.json()["fingerprint"]
    assert [None, None] == [each.fingerprint for each in other.seen.wait_for(2)]


@pytest.mark.parametrize("client", [*clients.PROXIED[:2], clients.aiohttp_session], ids=name_of)
def test_redirected(client: Client, scene: Scene, tls_proxy: Proxies) -> None:
    """A redirect to another host is another leg: through the proxy, too, it sees its own."""
    skip_without_tls_in_tls(client)
    proxy = tls_proxy(hosts=HOSTS)
    scene.activate_hosts()
    with client(scene.ca_file, proxy.url(BETA_HOST)) as get:
        url = scene.url(ALPHA_HOST, f"/redirect?to={scene.url(NOBODY)}")
        _allow_redirects(client, get, url)
    assert [scene.alpha.fingerprint, None] == scene.seen
    assert {scene.beta.fingerprint} == {each.fingerprint for each in proxy.seen}


def _allow_redirects(client: Client, get: Get, url: str) -> None:
    try:
        assert get(url)["fingerprint"] is None
    except json.JSONDecodeError:
        assert client is clients.urllib3_manager, "it is told not to follow"
        get(url.partition("to=")[2])


class TestUpgrades:
    """A WebSocket is opened by a request, on the same legs."""

    def test_aiohttp(self, scene: Scene, plain_proxy: ConnectProxy) -> None:
        """Through a tunnel the service decides."""
        import aiohttp

        activate_for_proxies(scene, BETA_HOST)

        async def main() -> None:
            connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
            async with aiohttp.ClientSession(connector=connector) as session:
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await session.ws_connect(
                        f"wss://{NOBODY}:{scene.server.port}/",
                        proxy=plain_proxy.url(BETA_HOST),
                        ssl=scene.context(),
                    )

        with scope(ALPHA_SERVICE):
            asyncio.run(asyncio.wait_for(main(), TIMEOUT))
        assert [scene.alpha.fingerprint] == scene.seen

    @pytest.mark.parametrize("scheme", ["ws", "wss"])
    def test_httpcore(self, scheme: str, scene: Scene, tls_proxy: Proxies) -> None:
        """A proxy that TLS is spoken to sees its own, for both schemes."""
        import httpcore

        proxy = tls_proxy(hosts=HOSTS)
        activate_for_proxies(scene, BETA_HOST)
        context = scene.context()
        to_proxy = httpcore.Proxy(proxy.url(BETA_HOST), ssl_context=context)
        url = f"{scheme}://{NOBODY}:{scene.server.port}/"
        with (
            httpcore.ConnectionPool(ssl_context=context, proxy=to_proxy) as pool,
            scope(ALPHA_SERVICE),
            # httpcore has a tunnel for `ws` too, in which it speaks TLS all the same.
            contextlib.suppress(httpcore.ConnectError),
        ):
            pool.request("GET", url)
        assert [scene.beta.fingerprint] == [each.fingerprint for each in proxy.seen]
        assert {scene.alpha.fingerprint} == set(scene.seen)


def test_tls_to_a_socks_proxy(
    scene: Scene,
    server_stack: contextlib.ExitStack,
    authority: Any,
    client_authority: Any,
    gamma: Leaf,
) -> None:
    """python-socks speaks TLS to the proxy on the way: the service is none of its business."""
    sockets = pytest.importorskip("aiohttp_socks")
    if sys.version_info < (3, 11):
        pytest.skip("asyncio has TLS in TLS since Python 3.11")
    import aiohttp

    make = ServerFactory(SocksProxy, server_stack, authority, client_authority)
    proxy = make(hosts=HOSTS)
    rules = scene.files.identity("gamma", gamma, hosts=[f"localhost:{proxy.port}"])
    scene.activate(
        scene.files.identity("alpha", scene.alpha, services=[ALPHA_SERVICE]),
        rules,
    )

    async def main() -> Any:
        connector = sockets.ProxyConnector(
            "localhost", proxy.port, rdns=True, proxy_ssl=scene.context(), ssl=scene.context()
        )
        session = aiohttp.ClientSession(connector=connector)
        async with session, session.get(scene.url(NOBODY)) as response:
            return await response.json()

    with scope(ALPHA_SERVICE):
        answer = asyncio.run(asyncio.wait_for(main(), TIMEOUT))
    assert scene.alpha.fingerprint == answer["fingerprint"]
    assert [gamma.fingerprint] == [each.fingerprint for each in proxy.seen]
