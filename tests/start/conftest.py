"""What an interpreter is started with that is to present a certificate from its first line."""

from __future__ import annotations

import pytest

from tests.start.worker_programs import Environment
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer]) -> TlsServer:
    """It takes every client."""
    return tls_server()


@pytest.fixture
def environment(
    client_files: ClientFiles, authority: Authority, alpha: Leaf, server: TlsServer
) -> dict[str, str]:
    """Settings that can be used."""
    trust = {"SSL_CERT_FILE": str(client_files.authority(authority))}
    target = {"TARGET_PORT": str(server.port), "MXCERT_AUTOSTART": "1"}
    return {**client_files.variables(alpha), **trust, **target}


@pytest.fixture
def calling(
    client_files: ClientFiles, authority: Authority, alpha: Leaf, beta: Leaf
) -> Environment:
    """Settings with an identity for each name, and trust for a program without the plugin."""
    settings = client_files.variables(usages={"localhost": alpha, "127.0.0.1": beta})
    trust = {"SSL_CERT_FILE": str(client_files.authority(authority))}

    def of(server: TlsServer) -> dict[str, str]:
        return {**settings, **trust, "TARGET_PORT": str(server.port)}

    return of
