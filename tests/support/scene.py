"""One server under several names, and the settings that give it one identity or another."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime

from .client_files import ClientFiles
from .factories import ServerFactory
from .names import LoopbackNames
from .pki import Authority, Leaf
from .server_tls import TlsVersion
from .tls_server import TlsServer

ALPHA_HOST, BETA_HOST, NOBODY = HOSTS = ("alpha.test", "beta.test", "nobody.test")
ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE = "Module.Alpha", "Module.Beta", "Module.Nobody"


@dataclass(frozen=True)
class Scene:
    """Nothing is activated yet. A host without a rule gets nothing, unless a test says more."""

    server: TlsServer
    files: ClientFiles
    authority: Authority
    alpha: Leaf
    beta: Leaf

    @property
    def ca_file(self) -> str:
        """The file of the authority that the server's certificate is from."""
        return str(self.files.authority(self.authority))

    def url(self, host: str = ALPHA_HOST, path: str = "/") -> str:
        """The URL of the server under one of its names."""
        return self.server.url(host, path)

    def context(self) -> ssl.SSLContext:
        """A client's context that trusts the server."""
        return ssl.create_default_context(cafile=self.ca_file)

    def activate(self, *identities: dict[str, Any], **more: Any) -> None:
        """Put these identities in force, in the place of those that are."""
        settings = {"unlisted_hosts": "none", "identity": list(identities), **more}
        mxcert_runtime.activate(settings=settings)

    def activate_hosts(self, **more: Any) -> None:
        """ALPHA_HOST gets alpha, BETA_HOST beta, and the others nothing."""
        self.activate(
            self.files.identity("alpha", self.alpha, hosts=[ALPHA_HOST]),
            self.files.identity("beta", self.beta, hosts=[BETA_HOST]),
            **more,
        )

    def activate_services(self, **more: Any) -> None:
        """The services get alpha, beta and none, whatever the host."""
        self.activate(
            self.files.identity("alpha", self.alpha, services=[ALPHA_SERVICE]),
            self.files.identity("beta", self.beta, services=[BETA_SERVICE]),
            no_certificate={"services": [NO_SERVICE]},
            **more,
        )

    def activate_file(
        self, leaf: Leaf, hosts: Sequence[str] = (ALPHA_HOST,), authorities: Sequence[Path] = ()
    ) -> None:
        """Write the leaf to a path that is always the same, and put that in force for hosts."""
        path = self.files.folder / "rotated.p12"
        path.write_bytes(leaf.pkcs12(self.files.password))
        identity = {
            "name": "rotated",
            "pkcs12": str(path),
            "password": self.files.password,
            "hosts": list(hosts),
            "ca": [str(authority) for authority in authorities],
        }
        self.activate(identity)

    @property
    def seen(self) -> list[str | None]:
        """The certificate that the server saw at each handshake so far."""
        return [seen.fingerprint for seen in self.server.seen]


@pytest.fixture
def scene_of_each_version(
    loopback_names: LoopbackNames,
    tls_server: ServerFactory[TlsServer],
    tls_version: TlsVersion,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Scene:
    """One server under the names of HOSTS, for each protocol version; nothing is activated."""
    server = tls_server(hosts=HOSTS, version=tls_version)
    return Scene(server, client_files, authority, alpha, beta)


@pytest.fixture
def scene_of_one_version(
    loopback_names: LoopbackNames,
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> Scene:
    """One server under the names of HOSTS; nothing is activated."""
    return Scene(tls_server(hosts=HOSTS), client_files, authority, alpha, beta)
