"""Servers that are gone once they have refused, or answered, while their clients still write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.pki import Authority
from tests.support.server_tls import Demand, ServerTls

from ..abrupt_server import AbruptServer
from ..conftest import GOOD, HOSTS, Refusals
from .resets import TLS13

ANSWER = b"HTTP/1.0 413 Too large\r\n\r\n" * 3


@pytest.fixture
def refusals(refusals: Refusals, client_authority: Authority) -> Iterator[Refusals]:
    """The servers; that of TLS 1.3 is gone when it has refused."""
    leaf = refusals.authority.issue("server", hosts=HOSTS)
    tls = ServerTls(leaf, (client_authority,), demand=Demand.DEMAND, version=TLS13)
    with AbruptServer(tls) as server:
        servers: Any = {**refusals.servers, TLS13: server}
        yield replace(refusals, servers=servers)


@pytest.fixture(params=[ANSWER, b""], ids=["answer", "nothing"])
def early(
    request: pytest.FixtureRequest, refusals: Refusals, client_authority: Authority
) -> Iterator[AbruptServer]:
    """One that says something, and one that does not."""
    leaf = refusals.authority.issue("server", hosts=[GOOD])
    tls = ServerTls(leaf, (client_authority,), demand=Demand.ACCEPT, version=TLS13, tickets=2)
    with AbruptServer(tls, request.param) as server:
        yield server
