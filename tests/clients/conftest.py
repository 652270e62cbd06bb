"""Fixtures of the tests with real client libraries."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from tests.clients.programs import Deployed
from tests.clients.stage import HOSTS, Stage
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer


@pytest.fixture
def stage(
    loopback_names: LoopbackNames,
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Stage:
    """Not activated yet; hosts without a rule get nothing."""
    alpha_host, beta_host, nobody = HOSTS
    identities = [
        client_files.identity("alpha", alpha, hosts=[alpha_host]),
        client_files.identity("beta", beta, hosts=[beta_host]),
    ]
    return Stage(
        server=tls_server(hosts=HOSTS, version=tls_version),
        ca_file=str(client_files.authority(authority)),
        settings={"unlisted_hosts": "none", "identity": identities},
        fingerprints={
            alpha_host: alpha.fingerprint,
            beta_host: beta.fingerprint,
            nobody: None,
        },
    )


@pytest.fixture
def old_context(stage: Stage) -> ssl.SSLContext:
    """A client's context that is older than the activation."""
    return ssl.create_default_context(cafile=stage.ca_file)


@pytest.fixture
def deployed(
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Deployed:
    """The servers run."""
    versions = (TlsVersion.TLS12, TlsVersion.TLS13)
    servers = [tls_server(hosts=HOSTS, version=version) for version in versions]
    return Deployed(servers, client_files, authority, alpha, beta)


@pytest.fixture
def scene(
    authority: Authority, tls_version: TlsVersion, client_files: ClientFiles, alpha: Leaf
) -> Any:
    """A server of pyOpenSSL, for each protocol version, and settings with a rule for it."""
    from tests.clients.openssl_dialogue import Scene

    return Scene(authority, tls_version, client_files, alpha)
