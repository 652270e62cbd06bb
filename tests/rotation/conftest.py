"""Fixtures of the tests of rotation."""

from __future__ import annotations

import pytest

from tests.faults.scene import HOSTS, Scene
from tests.rotation.renewal import Renewal
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer


@pytest.fixture
def scene(
    loopback_names: LoopbackNames,
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Scene:
    """One server under the names of HOSTS; nothing is activated."""
    return Scene(tls_server(hosts=HOSTS), client_files, authority, alpha, beta)


@pytest.fixture
def renewal(scene: Scene, client_authority: Authority) -> Renewal:
    """Two identities in force, of which files can be replaced."""
    return Renewal(scene, client_authority)
