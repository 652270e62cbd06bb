"""Servers of OpenSSL's own, which name issuers beside those that they trust."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, pem

OpensslServers = ServerFactory[OpensslServer]


def trusting(folder: Path, authorities: Sequence[Authority]) -> list[str]:
    """The options with which s_server trusts these, so that its others are names alone."""
    path = folder / "trusted.pem"
    path.write_bytes(pem(*(each.certificate for each in authorities)))
    return ["-verifyCAfile", str(path)]
