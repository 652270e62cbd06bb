"""A SOAP server on ``soap.test`` and ``elsewhere.test``, and settings for its services."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

import mxcert_runtime
from tests.hooks.soap.soap_server import NOTHING, SoapServer
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf

HOSTS = ("soap.test", "elsewhere.test")


@dataclass(frozen=True)
class SoapStage:
    """The server, and leaves by name."""

    server: SoapServer
    ca_file: str
    files: ClientFiles
    leaves: dict[str, Leaf]

    def settings(self, services: dict[str, list[str]], **more: Any) -> dict[str, Any]:
        """Settings with these services for each leaf; hosts without a rule get nothing."""
        identities = [
            self.files.identity(name, leaf, services=services.get(name, []))
            for name, leaf in self.leaves.items()
        ]
        return {"unlisted_hosts": "none", "identity": identities, **more}

    def activate(self, services: dict[str, list[str]], **more: Any) -> None:
        """Put such settings in force."""
        mxcert_runtime.activate(settings=self.settings(services, **more))

    @property
    def wsdl_url(self) -> str:
        """Where the WSDL is."""
        return self.server.url(path="/?wsdl")

    def named(self, fingerprint: str) -> str | None:
        """The name of the leaf that an answer tells; ``None`` for nothing."""
        names = {leaf.fingerprint: name for name, leaf in self.leaves.items()}
        return None if fingerprint == NOTHING else names[fingerprint]


@pytest.fixture
def stage(
    loopback_names: LoopbackNames,
    server_stack: ExitStack,
    authority: Authority,
    client_authority: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
    monkeypatch: pytest.MonkeyPatch,
) -> SoapStage:
    """Nothing is activated; default trust is the test authority."""
    make: Callable[..., SoapServer] = SoapServer
    factory = ServerFactory(make, server_stack, authority, client_authority)
    ca_file = str(client_files.authority(authority))
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    leaves = {"alpha": alpha, "beta": beta}
    return SoapStage(factory(hosts=HOSTS), ca_file, client_files, leaves)
