"""A client of the standard library with its own certificate: the native way, to compare with."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .listener import TIMEOUT
from .pki import Authority, Leaf
from .server_tls import TlsVersion


def plain_context(
    authority: Authority, leaf: Leaf | None = None, version: TlsVersion = TlsVersion.BOTH
) -> ssl.SSLContext:
    """A client context that trusts this authority alone and presents this leaf, if given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = version.pin
    context.load_verify_locations(cadata=authority.pem.decode("ascii"))
    if leaf is not None:
        with tempfile.TemporaryDirectory() as folder:
            context.load_cert_chain(*leaf.write_pem(Path(folder)))
    return context


def fetch_text(url: str, context: ssl.SSLContext) -> str:
    """The body of the answer to a GET over a connection of its own."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port, timeout=TIMEOUT, context=context
    )
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().read().decode("utf-8")
    finally:
        connection.close()


def fetch(url: str, context: ssl.SSLContext) -> dict[str, Any]:
    """The JSON of the answer to a GET over a connection of its own."""
    answer: dict[str, Any] = json.loads(fetch_text(url, context))
    return answer


@contextlib.contextmanager
def tls_to(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> Iterator[ssl.SSLSocket]:
    """A TLS connection to localhost, closed at the end; the handshake is done."""
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    with plain, context.wrap_socket(plain, server_hostname="localhost", session=session) as tls:
        yield tls


def fetch_all(client: http.client.HTTPSConnection, *paths: str) -> Iterator[dict[str, Any]]:
    """The JSON of each path in turn over this client's own connection, closed at the end."""
    with contextlib.closing(client):
        for path in paths:
            client.request("GET", path)
            yield json.loads(client.getresponse().read())
