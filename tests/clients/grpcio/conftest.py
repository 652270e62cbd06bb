"""Fixtures of the tests of grpcio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls

# They need h2, without which the tests are skipped.
if TYPE_CHECKING:
    from tests.clients.grpcio.scene import GrpcScene
    from tests.support.grpc_server import GrpcServer


@pytest.fixture
def start(
    server_stack: ExitStack, authority: Authority, client_authority: Authority
) -> Callable[..., GrpcServer]:
    """Starts servers that ask for a certificate."""
    from tests.clients.grpcio.scene import HOSTS
    from tests.support.grpc_server import GrpcServer

    def start(issuer: Authority = authority, demand: Demand = Demand.ACCEPT) -> GrpcServer:
        leaf = issuer.issue("server", hosts=(*HOSTS, "127.0.0.1"))
        tls = ServerTls(leaf, (client_authority,), demand, alpn=("h2",))
        return server_stack.enter_context(GrpcServer(tls))

    return start


@pytest.fixture
def scene(
    start: Callable[..., GrpcServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> GrpcScene:
    from tests.clients.grpcio.scene import GrpcScene

    return GrpcScene(start(), client_files, authority, alpha, beta)


@pytest.fixture
def channels(scene: GrpcScene) -> Iterator[Callable[..., Any]]:
    """Opens channels, and closes them in the end."""
    with ExitStack() as stack:
        yield lambda *args, **more: stack.enter_context(scene.channel(*args, **more))
