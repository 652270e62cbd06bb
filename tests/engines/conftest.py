"""Each test of this folder runs with each engine and each version of TLS."""

from __future__ import annotations

import pytest

from tests.engines.drivers import DRIVERS, Driver
from tests.faults.scene import HOSTS, Scene
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer


@pytest.fixture(params=DRIVERS, ids=str)
def engine(request: pytest.FixtureRequest) -> Driver:
    """A client of each engine."""
    driver = request.param
    assert isinstance(driver, Driver)
    if driver.name == "pyopenssl":
        pytest.importorskip("OpenSSL")
    return driver


@pytest.fixture
def scene(
    loopback_names: LoopbackNames,
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Scene:
    """A server that takes any certificate, or none, under the names of HOSTS."""
    server = tls_server(hosts=HOSTS, version=tls_version, demand=Demand.ACCEPT)
    return Scene(server, client_files, authority, alpha, beta)
