"""A server that asks every client for a certificate, and settings with one identity."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.connections import announcement
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import TlsVersion
from tests.support.tls_listener import TlsListener
from tests.support.tls_server import TlsServer

#: the name of the server: one that C finds by itself, too
HOST = "localhost"
ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Ground:
    """``alpha`` is the only identity unless a test gives another."""

    server: TlsListener
    files: ClientFiles
    alpha: Leaf
    ca_file: str
    caplog: pytest.LogCaptureFixture

    @property
    def port(self) -> int:
        """The server's."""
        return self.server.port

    def activate(self, *hosts: str, never: tuple[str, ...] = (), **more: Any) -> None:
        """Put settings in force in which ``hosts`` get alpha, and ``never`` get nothing."""
        identity = self.files.identity("alpha", self.alpha, hosts=hosts)
        settings = {"identity": [identity], "no_certificate": {"hosts": list(never)}, **more}
        mxcert_runtime.activate(settings=settings)

    def context(self) -> ssl.SSLContext:
        """A client's context that verifies the server's chain, and no name."""
        context = ssl.create_default_context(cafile=self.ca_file)
        context.check_hostname = False
        return context

    @property
    def warnings(self) -> list[str]:
        """What the plugin warned of."""
        records = [each for each in self.caplog.records if each.name == "mxcert_runtime"]
        return [each.getMessage() for each in records if each.levelno >= logging.WARNING]


@pytest.fixture
def ground(
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    caplog: pytest.LogCaptureFixture,
) -> Ground:
    """The server speaks one version of TLS."""
    server = tls_server(version=tls_version, hosts=["alpha.test", "none.test"])
    # A warning comes once for each peer in a process.
    announcement._warn_of_unnamed_host.cache_clear()
    announcement._warn_of_unknown_port.cache_clear()
    return Ground(server, client_files, alpha, str(client_files.authority(authority)), caplog)
