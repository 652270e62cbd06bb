"""Fixtures of the tests of pycurl."""

from __future__ import annotations

import pytest

from mxcert_runtime.hooks.curl import multis, transfers
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.scene import ALPHA_HOST, BETA_HOST, NOBODY, Scene
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer


@pytest.fixture
def scene(
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Scene:
    """One server under three names, for each protocol version."""
    server = tls_server(hosts=[ALPHA_HOST, BETA_HOST, NOBODY, "localhost"], version=tls_version)
    return Scene(server, client_files, authority, alpha, beta)


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """What is warned of once is warned of in each test."""
    for each in (transfers._warn_of_redirect, transfers._warn_of_url, transfers._warn_of_extra):
        each.cache_clear()
    multis.warn_of_older_handles.cache_clear()
