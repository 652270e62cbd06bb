"""Identities without rules, in an order: which of them a server gets is what its request says."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.listener import TIMEOUT
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Leaf

#: Makes a client's context, before or after it calls back to activate.
ContextMaker = Callable[[Callable[[], None]], ssl.SSLContext]


class Candidates:
    """Leaves by name; the order is the one of the settings."""

    def __init__(self, files: ClientFiles, leaves: Mapping[str, Leaf]) -> None:
        self._files = files
        self.leaves = dict(leaves)

    def activate(self, **more: Any) -> None:
        """Put settings in force that have these identities and no rule."""
        identities = [self._files.identity(name, leaf) for name, leaf in self.leaves.items()]
        mxcert_runtime.activate(settings={"identity": identities, **more})

    def named(self, fingerprint: str | None) -> str | None:
        """The name of the leaf that a server saw."""
        names = {leaf.fingerprint: name for name, leaf in self.leaves.items()}
        return None if fingerprint is None else names.get(fingerprint, fingerprint)

    def presented_to(self, server: OpensslServer, context: ssl.SSLContext) -> str | None:
        """The name of what one connection presents; ``None`` for nothing."""
        before = len(server.presented)
        with connected(server.port, context):
            return self.named(server.presented.wait_for(before + 1)[before])


def connected(port: int, context: ssl.SSLContext, host: str = "localhost") -> ssl.SSLSocket:
    """A connection after its handshake."""
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise
