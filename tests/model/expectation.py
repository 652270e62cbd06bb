"""The model: what a server must see, worked out slowly and obviously from plain data.

It shares no line with the package. A call is refused, or its peer sees a certificate by its name;
``none`` is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.model.cast import (
    ADDRESS,
    HOSTS,
    ISSUERS,
    OWN,
    PROXY_HOST,
    WRONG_HOST,
    asked_of,
    signed_by,
)
from tests.model.deployment import Deployment

REFUSED = "refused"
NONE = "none"


@dataclass(frozen=True)
class Leg:
    """One TLS connection as the model sees it."""

    peer: str
    #: the name that the client dialled or verifies; the address where it named no host
    host: str
    service: str | None
    #: whether the client said a name at all
    is_named: bool


@dataclass(frozen=True)
class ContextFacts:
    """What the program did to the context of a connection."""

    roots: frozenset[str]
    has_default_trust: bool
    has_own: bool
    verifies_names: bool
    #: whether its security level can be known
    tells_level: bool


def expected(deployment: Deployment | None, leg: Leg, context: ContextFacts) -> str:
    """``refused``, or the name of the certificate that the peer sees."""
    giving = _give(deployment, leg)
    if signed_by(leg.peer) not in _roots(deployment, giving, context):
        return REFUSED
    if context.verifies_names and leg.host == WRONG_HOST:
        return REFUSED
    if asked_of(leg.peer) is None:
        return NONE
    return OWN if context.has_own else _shown(giving, leg.peer)


@dataclass(frozen=True)
class Giving:
    """What the settings give an endpoint: one identity by a rule, or a choice by default."""

    by_rule: str | None = None
    by_default: tuple[str, ...] = ()


def _give(deployment: Deployment | None, leg: Leg) -> Giving:
    if deployment is None:
        return Giving()
    if leg.service is not None and leg.service in dict(deployment.services):
        return Giving(dict(deployment.services)[leg.service])
    for pattern, given in deployment.hosts:
        if pattern == next(_fitting(deployment, leg), None):
            return Giving(given)
    if not deployment.offers or _passes_a_rule_by_name(deployment, leg):
        return Giving()
    return Giving(by_default=deployment.identities)


def _fitting(deployment: Deployment, leg: Leg) -> Iterator[str]:
    """The patterns that fit, the most specific first."""
    wildcard = f"*.{leg.host.partition('.')[2]}"
    for host in (leg.host, wildcard):
        for pattern in (f"{host}@{leg.peer}", host):
            if pattern in dict(deployment.hosts):
                yield pattern


def _passes_a_rule_by_name(deployment: Deployment, leg: Leg) -> bool:
    names = [pattern for pattern, _ in deployment.hosts if pattern != ADDRESS]
    return not leg.is_named and bool(names) and not deployment.offers_unnamed


def _roots(deployment: Deployment | None, giving: Giving, context: ContextFacts) -> frozenset[str]:
    pinned = {} if deployment is None else dict(deployment.pinned)
    if giving.by_rule in pinned:
        # By an unknown security level nothing is verified at all.
        return frozenset({pinned[giving.by_rule]} if context.tells_level else ())
    extra = None if deployment is None else deployment.extra
    return context.roots | {extra} if extra and context.has_default_trust else context.roots


def _shown(giving: Giving, peer: str) -> str:
    if giving.by_rule is not None:
        return giving.by_rule
    asked = asked_of(peer)
    fitting = [each for each in giving.by_default if asked in ("any", ISSUERS[each])]
    return fitting[0] if fitting else NONE


assert PROXY_HOST in HOSTS
