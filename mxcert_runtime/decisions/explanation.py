"""Answers about what is in force, without any I/O: what is loaded, what an endpoint would get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..base import (
    DEFAULT_PORTS,
    MalformedUrlError,
    UnnamedHost,
    canonical_host,
    dataclass,
    is_address,
    parse_pattern,
    split_url,
)
from ..errors import HostNameError
from ..identity import Identity
from . import in_force
from .current_service import current_service
from .generation import Generation
from .policy import WITHHELD_FROM_UNNAMED, Choice, Decision
from .services import describe_unknown_service


@dataclass(frozen=True)
class IdentitySummary:
    """What may be told of an identity; times are aware, in UTC, the fingerprint is SHA-256."""

    name: str
    subject: str
    issuer: str
    fingerprint: str
    key_type: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class Place:
    """A place where a rule could stand, and the decision there, if there is one."""

    name: str
    decision: Decision | None


@dataclass(frozen=True, eq=False)
class Explanation(Decision):
    """A decision with the question that it answers and all the places that were looked at.

    ``port`` is ``None`` where the target names none and its scheme has none. ``places`` begins
    with the most specific, and ends with the one that decided: nobody looks any further.
    """

    host: str
    port: int | None
    service: str | None
    places: tuple[Place, ...]
    #: what may not be as it was meant, for people
    warnings: tuple[str, ...]
    #: whether all of it is kept from a server that the client does not verify
    requires_verified_server: bool = False

    def as_data(self) -> dict[str, Any]:
        """As plain data, for JSON; no secret is in it."""
        return {
            "host": self.host,
            "port": self.port,
            "service": self.service,
            "choice": self.choice.value,
            "identity": _identity_data(self.identity) if self.identity else None,
            "candidates": [_identity_data(each) for each in self.candidates],
            "rule": self.rule.name if self.rule else None,
            "origin": self.rule.origin if self.rule else None,
            "reason": self.reason,
            "requires_verified_server": self.requires_verified_server,
            "pinned_authorities": list(self.authorities.sources) if self.authorities else None,
            "places": [
                {
                    "place": each.name,
                    "decided": each.decision is not None,
                    "reason": each.decision.reason if each.decision else None,
                }
                for each in self.places
            ],
            "warnings": list(self.warnings),
        }


def identities() -> tuple[IdentitySummary, ...]:
    """The identities that are loaded, in their order; none while nothing is activated."""
    generation = in_force.current
    return tuple(map(summary_of, generation.identities)) if generation else ()


def explain(target: str, service: str | None = None) -> Explanation:
    """The decision for a URL, or for ``host`` or ``host:port``, with its reason; no I/O.

    Without ``service`` the one that the running code has named counts. Raises
    :class:`~.errors.HostNameError` where the target has no host.
    """
    host, port = endpoint_of(target)
    named = service or current_service.get()
    generation = in_force.current
    if generation is None:
        return _explain_inactive(host, port, named)
    return explain_in(generation, host, port, named)


def _explain_inactive(host: str, port: int | None, service: str | None) -> Explanation:
    return Explanation(
        choice=Choice.NONE,
        identity=None,
        candidates=(),
        rule=None,
        reason="nothing is activated",
        host=host,
        port=port,
        service=service,
        places=(),
        warnings=(),
    )


def explain_in(
    generation: Generation, host: str, port: int | None, service: str | None
) -> Explanation:
    """The decision of a generation that need not be in force, with its reason; no I/O."""
    places = []
    for name, decision in generation.policy.examine(host, port, service):
        places.append(Place(name, decision))
        if decision is not None:
            break
    decided = generation.policy.select(host, port, service)
    return Explanation(
        choice=decided.choice,
        identity=decided.identity,
        candidates=decided.candidates,
        rule=decided.rule,
        reason=decided.reason,
        host=host,
        port=port,
        service=service,
        places=tuple(places),
        warnings=tuple(_warnings(generation, host, port, service)),
        requires_verified_server=generation.policy.for_unverified(decided) is not decided,
    )


def _warnings(
    generation: Generation, host: str, port: int | None, service: str | None
) -> Iterator[str]:
    policy = generation.policy
    if service is not None and service not in policy.services:
        yield describe_unknown_service(service, policy.services)
    if port is None and policy.port_matters(host):
        yield f"rules with a port do not count without one; `{host}:443` would name it"
    if is_address(canonical_host(host)):
        unnamed = policy.select(UnnamedHost(host), port, service)
        if unnamed is WITHHELD_FROM_UNNAMED:
            yield f"a client that dials it and names no host gets {unnamed}"


def _identity_data(identity: Identity) -> dict[str, str]:
    summary = asdict(summary_of(identity))
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in summary.items()
    }


def summary_of(identity: Identity) -> IdentitySummary:
    """What may be told of an identity."""
    return IdentitySummary(
        name=identity.name,
        subject=identity.subject,
        issuer=identity.issuer,
        fingerprint=identity.fingerprint,
        key_type=identity.key_type,
        not_before=identity.not_before,
        not_after=identity.not_after,
    )


def endpoint_of(target: str) -> tuple[str, int | None]:
    """Host and port of a URL, or of ``host`` or ``host:port``.

    Raises :class:`~.errors.HostNameError` where the target has no host.
    """
    if "//" not in target:
        pattern = parse_pattern(target)
        return pattern.host, pattern.port
    problem = ""
    try:
        parts, port = split_url(target)
    except MalformedUrlError as error:
        problem = str(error)
    if problem:
        remedy = "Write a URL such as `https://api.example.com/`, or `host:port`"
        raise HostNameError(_without_user_information(target), problem, remedy)
    return parts.hostname or "", DEFAULT_PORTS.get(parts.scheme) if port is None else port


def _without_user_information(target: str) -> str:
    """Before the `@` there may stand a password."""
    scheme, mark, rest = target.partition("//")
    return scheme + mark + rest.rpartition("@")[2]
