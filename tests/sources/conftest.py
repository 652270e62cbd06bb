"""Fixtures of the tests of sources."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.commands import Printer
from tests.support.factories import ServerFactory
from tests.support.pki import Authority
from tests.support.plain_client import fetch, plain_context
from tests.support.tls_server import TlsServer

#: gives the fingerprint of the certificate that the server saw on a connection of its own
Ask = Callable[[], "str | None"]


@pytest.fixture
def printer(tmp_path: Path) -> Printer:
    """A command that prints what it is told to."""
    return Printer(tmp_path)


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer]) -> TlsServer:
    """A server that takes clients with a certificate and without."""
    return tls_server()


@pytest.fixture
def ask(server: TlsServer, authority: Authority) -> Ask:
    """A fresh connection of a program that knows nothing of any certificate."""

    def asked() -> str | None:
        answer = fetch(f"https://localhost:{server.port}/", plain_context(authority))
        seen: str | None = answer["fingerprint"]
        return seen

    return asked


@pytest.fixture
def handshake(server: TlsServer) -> Callable[[ssl.SSLContext], int]:
    """The status of a request with a context of the caller's."""

    def shaken(context: ssl.SSLContext) -> int:
        client = http.client.HTTPSConnection("localhost", server.port, context=context, timeout=30)
        try:
            client.request("GET", "/")
            return client.getresponse().status
        finally:
            client.close()

    return shaken
