"""What stands where activation hooks, what a server sees, and what is logged."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.pki import Authority
from tests.support.plain_client import fetch, plain_context
from tests.support.tls_server import TlsServer

_OWNERS = (ssl, ssl.SSLContext, ssl.SSLSocket, ssl.SSLObject, http.client.HTTPSConnection)


def attributes() -> dict[tuple[str, str], int]:
    """Which object stands where in what activation hooks."""
    return {
        (owner.__name__, name): id(value)
        for owner in _OWNERS
        for name, value in vars(owner).items()
    }


def settings_of(*entries: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"unlisted_hosts": "none", "identity": list(entries), **more}


class Peer:
    """A server, asked by a context that is made anew each time."""

    def __init__(self, server: TlsServer, authority: Authority) -> None:
        self._server = server
        self._authority = authority

    def sees(self, host: str = "localhost") -> str | None:
        """The fingerprint of the certificate that the server is shown."""
        answer = fetch(self._server.url(host), plain_context(self._authority))
        fingerprint: str | None = answer["fingerprint"]
        return fingerprint


def logged(caplog: pytest.LogCaptureFixture) -> dict[str, list[str]]:
    levels: dict[str, list[str]] = {}
    for record in caplog.records:
        if record.name == "mxcert_runtime":
            levels.setdefault(record.levelname, []).append(record.getMessage())
    return levels


IMPORT = """
import json, ssl, sys
def snapshot():
    return {name: id(value) for name, value in {**vars(ssl), **vars(ssl.SSLContext)}.items()}
before = snapshot()
try:
    import mxcert_runtime
except Exception as error:
    outcome = [type(error).__name__, str(error)]
else:
    outcome = ["", ""]
print(json.dumps([*outcome, before == snapshot(), "mxcert_runtime" in sys.modules]))
"""
