"""A server that refuses clients for each reason that OpenSSL has, under one name for each."""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass
from typing import Any

import pytest

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf, now
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

from .told import LOGGER

#: The host under which each client is refused, or taken.
UNKNOWN, EXPIRED, EARLY, USAGE = "unknown.test", "expired.test", "early.test", "usage.test"
NOBODY, GOOD = "nobody.test", "good.test"
HOSTS = (UNKNOWN, EXPIRED, EARLY, USAGE, NOBODY, GOOD)

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Refusals:
    """Servers by version, and the leaf of each host; NOBODY has none."""

    servers: dict[TlsVersion, TlsServer]
    authority: Authority
    leaves: dict[str, Leaf]
    files: ClientFiles

    def port(self, version: TlsVersion) -> int:
        """The port of the server that speaks this version."""
        return self.servers[version].port

    def activate(self, **more: Any) -> None:
        """One identity for each host, with its name."""
        identities = [
            self.files.identity(host, leaf, hosts=[host]) for host, leaf in self.leaves.items()
        ]
        settings = {"unlisted_hosts": "none", "identity": identities, **more}
        mxcert_runtime.activate(settings=settings)


@pytest.fixture(scope="session")
def leaves(client_authority: Authority) -> dict[str, Leaf]:
    """The leaf for each host."""
    issue, past, future = client_authority.issue, now() - 3 * _DAY, now() + 3 * _DAY
    return {
        UNKNOWN: Authority("Nobody's root").issue("unknown", server=False),
        EXPIRED: issue("expired", not_before=past - _DAY, not_after=past),
        EARLY: issue("early", not_before=future),
        USAGE: issue("usage", client=False),
        GOOD: issue("good", server=False),
    }


@pytest.fixture
def refusals(
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    leaves: dict[str, Leaf],
    client_files: ClientFiles,
    caplog: pytest.LogCaptureFixture,
) -> Refusals:
    """The servers run; nothing is activated yet."""
    caplog.set_level(logging.WARNING, LOGGER)
    servers = {
        version: tls_server(hosts=HOSTS, demand=Demand.DEMAND, version=version)
        for version in (TlsVersion.TLS12, TlsVersion.TLS13)
    }
    return Refusals(servers, authority, leaves, client_files)
