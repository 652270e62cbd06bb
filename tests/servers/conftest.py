"""One identity for one name, and servers of the system that answer by any."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.dovecot import DovecotServer
from tests.support.factories import factory_of
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


redis_server = factory_of(RedisServer)
mosquitto_server = factory_of(MosquittoServer)
nats_server = factory_of(NatsServer)
dovecot_server = factory_of(DovecotServer)
postfix_server = factory_of(PostfixServer)
vsftpd_server = factory_of(VsftpdServer)
