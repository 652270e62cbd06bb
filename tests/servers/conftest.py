"""One identity for one name, and servers of the system that answer by any."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.dovecot import DovecotServer
from tests.support.factories import ServerFactory
from tests.support.mosquitto import MosquittoServer
from tests.support.names import LoopbackNames
from tests.support.nats_server import NatsServer
from tests.support.pki import Authority, Leaf
from tests.support.postfix import PostfixServer
from tests.support.redis_server import RedisServer
from tests.support.vsftpd import VsftpdServer

#: one has a rule, the other gets nothing
KNOWN, NOBODY = HOSTS = "known.test", "nobody.test"


@dataclass(frozen=True)
class Ground:
    """Settings are in force in which KNOWN gets ``alpha`` and nobody else anything."""

    ca_file: str
    alpha: Leaf
    files: ClientFiles

    def activate(self, host: str) -> None:
        """Put settings in force in which only ``host`` gets it."""
        identity = self.files.identity("alpha", self.alpha, hosts=[host])
        mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [identity]})

    def context(self) -> ssl.SSLContext:
        """A client's context that trusts the servers."""
        return ssl.create_default_context(cafile=self.ca_file)


@pytest.fixture
def ground(client_files: ClientFiles, authority: Authority, alpha: Leaf) -> Iterator[Ground]:
    """In force; names lead to where the servers listen."""
    ground = Ground(str(client_files.authority(authority)), alpha, client_files)
    ground.activate(KNOWN)
    with LoopbackNames(addresses=("127.0.0.1",)):
        yield ground


def _factory(kind: Any) -> Any:
    @pytest.fixture
    def factory(
        server_stack: ExitStack, authority: Authority, client_authority: Authority
    ) -> ServerFactory[Any]:
        """Starts such servers; skipped where there is none."""
        return ServerFactory(kind, server_stack, authority, client_authority)

    return factory


redis_server = _factory(RedisServer)
mosquitto_server = _factory(MosquittoServer)
nats_server = _factory(NatsServer)
dovecot_server = _factory(DovecotServer)
postfix_server = _factory(PostfixServer)
vsftpd_server = _factory(VsftpdServer)
