"""Client programs put together from parts, each run in a process of its own."""

from __future__ import annotations

import textwrap
from typing import Any

from tests.clients.stage import HOSTS
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS

PLUGIN = """
import mxcert_runtime
assert mxcert_runtime.is_active()
"""
_BEGIN = """
import asyncio, json, sys
ca_file, *urls = sys.argv[1:]
"""


class Deployed:
    """Two servers, TLS 1.2 and 1.3, and the environment of a client for them."""

    def __init__(
        self,
        servers: list[TlsServer],
        files: ClientFiles,
        authority: Authority,
        alpha: Leaf,
        beta: Leaf,
    ) -> None:
        self.ca_file = str(files.authority(authority))
        self.environment = {
            **files.variables(usages={ALPHA_HOST: alpha, BETA_HOST: beta}),
            "MXCERT_UNLISTED_HOSTS": "none",
        }
        self.urls = [server.url(host) for server in servers for host in HOSTS]
        self.expected = [alpha.fingerprint, beta.fingerprint, None] * 2

    def run(self, *parts: str, **environment: str) -> Any:
        """What a program that consists of these parts prints."""
        script = "\n".join(textwrap.dedent(part) for part in (_BEGIN, *parts))
        variables = {**self.environment, **environment}
        return run_client(script, self.ca_file, *self.urls, environment=variables).json()
