"""What a probe found out, step by step, and who is told of it meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol

from ...connections import Verification, explain_misfit
from ...decisions import Decision, Generation
from ...identity import Identity
from .certificates import CertificateView, Voucher, view_certificate, voucher_of
from .observation import Observation
from .target import Proxy, Target


@dataclass
class Step:
    """One step: what was done, how long it took, what came of it."""

    name: str
    milliseconds: float = 0.0
    detail: str = ""
    error: Exception | None = None


@dataclass(frozen=True)
class TlsFacts:
    """What a handshake agreed upon."""

    version: str | None
    cipher: str | None
    application_protocol: str | None


class Progress(Protocol):
    """Who is told of each step as it happens."""

    def begin(self, name: str) -> None:
        """A step begins."""

    def end(self, step: Step) -> None:
        """It is over, for better or worse."""


class Silence:
    """Nobody is told."""

    def begin(self, name: str) -> None:
        """Nothing."""

    def end(self, step: Step) -> None:
        """Nothing."""


@dataclass
class ProbeResult:
    """All that a probe found out; what a step would have filled is empty where it did not come."""

    target: Target
    proxy: Proxy | None
    service: str | None
    timeout: float
    #: ``None``: no settings are in force
    generation: Generation | None
    decision: Decision
    #: where a rule could stand, and whether one does, most specific first
    places: list[tuple[str, Decision | None]]
    verification: Verification
    observation: Observation = field(default_factory=Observation)
    steps: list[Step] = field(default_factory=list)
    tls: TlsFacts | None = None
    answer: str | None = None
    progress: Progress = field(default_factory=Silence)

    @property
    def failure(self) -> Step | None:
        """The step that failed."""
        return next((step for step in self.steps if step.error is not None), None)

    @property
    def identities(self) -> tuple[Identity, ...]:
        """All that are loaded."""
        return self.generation.identities if self.generation else ()

    @property
    def chain(self) -> list[CertificateView]:
        """What the server sent, leaf first."""
        return [view_certificate(der) for der in self.observation.server_chain]

    @property
    def voucher(self) -> Voucher | None:
        """Who vouches for the server, once it is verified: only then is a Certificate answered."""
        observation = self.observation
        is_verified = self.tls is not None or observation.presented is not None
        return voucher_of(self.verification, observation.server_chain) if is_verified else None

    @property
    def presented(self) -> CertificateView | None:
        """The leaf that this side sent."""
        sent = self.observation.presented
        return view_certificate(sent[0]) if sent else None

    @property
    def presented_name(self) -> str | None:
        """The name of the identity that this side sent."""
        leaf = self.presented
        if leaf is None:
            return None
        decided = (self.decision.identity,) if self.decision.identity else ()
        known = (*decided, *self.identities)
        names = (each.name for each in known if each.fingerprint == leaf.fingerprint)
        return next(names, leaf.subject)

    @property
    def misfits(self) -> list[tuple[Identity, str | None]]:
        """Each identity, and why it does not fit the server's request; none were none asked."""
        request = self.observation.request
        if request is None:
            return []
        now = datetime.now(timezone.utc)
        return [(each, explain_misfit(request, each, now)) for each in self.identities]
