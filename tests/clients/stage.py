"""One server under three names, and settings with an identity for two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.tls_server import TlsServer

HOSTS = ("alpha.test", "beta.test", "nobody.test")


@dataclass(frozen=True)
class Stage:
    """``fingerprints`` has what each host is to see; ``settings`` is what makes it so."""

    server: TlsServer
    ca_file: str
    settings: dict[str, Any]
    fingerprints: Mapping[str, str | None]

    def activate(self, **more: Any) -> None:
        """Put the settings in force, with these keys in place of theirs."""
        import mxcert_runtime

        mxcert_runtime.activate(settings={**self.settings, **more})

    def url(self, host: str, path: str = "/") -> str:
        """The URL of the server under one of its names."""
        return self.server.url(host, path)

    @property
    def urls(self) -> list[str]:
        """The URLs of all names, in the order of HOSTS."""
        return [self.url(host) for host in HOSTS]

    @property
    def expected(self) -> list[str | None]:
        """What each of HOSTS is to see."""
        return self.expect(HOSTS)

    def expect(self, hosts: Sequence[str]) -> list[str | None]:
        """What these hosts are to see."""
        return [self.fingerprints[host] for host in hosts]

    @property
    def seen(self) -> list[str | None]:
        """What the server saw at each handshake so far."""
        return [seen.fingerprint for seen in self.server.seen]
