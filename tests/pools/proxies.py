"""Proxies with a rule of their own, and the clients that can speak TLS to them."""

from __future__ import annotations

import sys

import pytest

from tests.pools import clients
from tests.pools.clients import Client
from tests.support.factories import ServerFactory
from tests.support.proxy import ConnectProxy
from tests.support.scene import ALPHA_SERVICE, Scene

Proxies = ServerFactory[ConnectProxy]


def activate_for_proxies(scene: Scene, *proxy_hosts: str) -> None:
    """A service gets alpha whatever the host, and a proxy beta."""
    scene.activate(
        scene.files.identity("alpha", scene.alpha, services=[ALPHA_SERVICE]),
        scene.files.identity("beta", scene.beta, hosts=list(proxy_hosts)),
    )


def skip_without_tls_in_tls(client: Client) -> None:
    """asyncio cannot speak TLS within TLS on older Pythons."""
    if client is clients.aiohttp_session and sys.version_info < (3, 11):
        pytest.skip("asyncio has TLS in TLS since Python 3.11")
