"""Settings to be activated, and a server that sees what comes of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.start.activation.state import Peer, settings_of
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer


@pytest.fixture(autouse=True)
def no_default_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings file of the machine plays no part."""
    missing = "/nonexistent/mxcert.toml"
    monkeypatch.setattr("mxcert_runtime.settings.names.DEFAULT_FILE", missing)


@pytest.fixture(autouse=True)
def debug_log(caplog: pytest.LogCaptureFixture) -> None:
    """All that the package logs is captured."""
    caplog.set_level(logging.DEBUG, "mxcert_runtime")


@pytest.fixture
def alpha_settings(client_files: ClientFiles, alpha: Leaf) -> dict[str, Any]:
    """The identity alpha, for localhost alone."""
    return settings_of(client_files.identity("alpha", alpha, hosts=["localhost"]))


@pytest.fixture
def beta_settings(client_files: ClientFiles, beta: Leaf) -> dict[str, Any]:
    """The identity beta, for localhost alone."""
    return settings_of(client_files.identity("beta", beta, hosts=["localhost"]))


@pytest.fixture
def peer(tls_server: ServerFactory[TlsServer], authority: Authority) -> Peer:
    """A server that takes clients with and without a certificate."""
    return Peer(tls_server(), authority)
