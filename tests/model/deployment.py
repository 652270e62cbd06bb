"""What a deployment says, as plain data, and the settings that say it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Optional

from tests.model.cast import HOSTS, ISSUERS, PEERS, PROXY_HOST, SERVER_ROOTS, WRONG_HOST, Cast

#: ``*.zone.test`` is the only one with a wildcard; ``@`` stands before a peer whose port is meant
PATTERNS = (
    "a.test",
    "b.test",
    "x.zone.test",
    "*.zone.test",
    PROXY_HOST,
    WRONG_HOST,
    "127.0.0.1",
    *(f"{host}@{peer}" for host in ("a.test", "*.zone.test") for peer in PEERS),
)
SERVICES = ("Gamma", "Nobody", "Whoever")

Giving = tuple[str, Optional[str]]


@dataclass(frozen=True)
class Deployment:
    """Identities in their order, and which patterns and services are given which; None: none."""

    identities: tuple[str, ...]
    hosts: tuple[Giving, ...]
    services: tuple[Giving, ...]
    #: identities whose rules trust this root alone
    pinned: tuple[tuple[str, str], ...]
    offers: bool
    offers_unnamed: bool
    #: a root that joins default trust
    extra: str | None
    trust_cache: bool

    def settings(self, cast: Cast) -> dict[str, Any]:
        """In the structure of the native file."""
        settings: dict[str, Any] = {
            "unlisted_hosts": "offer" if self.offers else "none",
            "unnamed_hosts": "offer" if self.offers_unnamed else "none",
            "trust_cache": self.trust_cache,
            "identity": [self._identity(cast, name) for name in self.identities],
            "no_certificate": self._given(cast, None),
        }
        return {**settings, "ca": [cast.path((self.extra,))]} if self.extra else settings

    def _identity(self, cast: Cast, name: str) -> dict[str, Any]:
        pinned = [cast.path((root,)) for each, root in self.pinned if each == name]
        entry = cast.files.identity(name, cast.leaves[name])
        return {**entry, **self._given(cast, name), **({"ca": pinned} if pinned else {})}

    def _given(self, cast: Cast, name: str | None) -> dict[str, Any]:
        hosts = [_with_port(cast, pattern) for pattern, given in self.hosts if given == name]
        services = [service for service, given in self.services if given == name]
        return {key: value for key, value in (("hosts", hosts), ("services", services)) if value}


def _with_port(cast: Cast, pattern: str) -> str:
    host, _, peer = pattern.partition("@")
    return f"{host}:{cast.peers[peer].port}" if peer else host


def draw_deployment(chance: Random) -> Deployment:
    """Any deployment; few rules more often than many."""
    identities = tuple(name for name in ISSUERS if chance.random() < 0.6) or ("one",)
    givings = (*identities, None)
    patterns = chance.sample(PATTERNS, chance.choice((0, 1, 1, 2, 4, 8)))
    services = chance.sample(SERVICES[:2], chance.choice((0, 1, 2)))
    return Deployment(
        identities,
        tuple((pattern, chance.choice(givings)) for pattern in patterns),
        tuple((service, chance.choice(givings)) for service in services),
        tuple((name, chance.choice(SERVER_ROOTS)) for name in identities if chance.random() < 0.2),
        offers=chance.random() < 0.7,
        offers_unnamed=chance.random() < 0.2,
        extra=chance.choice((None, None, *SERVER_ROOTS)),
        trust_cache=chance.random() < 0.8,
    )


assert {PROXY_HOST, "a.test"} <= set(HOSTS)
