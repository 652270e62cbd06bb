"""Rules in, decisions out: which identity an endpoint or a service gets, and why.

Pure: no TLS, no files, no clock. :meth:`Policy.select` is the hot path; it answers a repeated
question from a bounded memo and does everything else once per name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from .endpoint import HostPattern, canonical_host, is_address
from .identity import Identity

#: Distinct questions that are remembered. A client that dials ever new names (a crawler) must not
#: grow the memo without end; past the limit it is begun anew.
_MEMO_LIMIT = 4096


class Choice(Enum):
    """What a decision comes to."""

    IDENTITY = "identity"
    NONE = "none"
    SERVER_REQUEST = "server-request"


@dataclass(frozen=True)
class Authorities:
    """Certificates of authorities as PEM text; ``digest`` tells two sets apart."""

    pem: str = field(repr=False, compare=False)
    digest: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule: its name as the settings have it, and what it gives.

    ``identity`` ``None`` is: never a client certificate. ``authorities``, where not ``None``,
    alone count for the endpoints of this rule. ``candidates``, where there are any, are several
    identities of one entry, of which ``identity`` is the first: the server's request chooses.
    """

    name: str
    identity: Identity | None
    origin: str
    authorities: Authorities | None = None
    candidates: tuple[Identity, ...] = ()


@dataclass(frozen=True, eq=False)
class Decision:
    """What a connection presents, and the rule that said so (``None``: the default did)."""

    choice: Choice
    identity: Identity | None
    #: for :attr:`Choice.SERVER_REQUEST`, in the order of preference
    candidates: tuple[Identity, ...]
    rule: Rule | None
    reason: str

    @property
    def authorities(self) -> Authorities | None:
        """The authorities that alone count, where the rule names some."""
        return self.rule.authorities if self.rule else None

    @cached_property
    def reuse_key(self) -> tuple[object, ...] | None:
        """What a kept connection must have been opened under to be used for this decision.

        ``None`` where the connection is as it would be without any settings.
        """
        if self.choice is Choice.NONE and self.authorities is None:
            return None
        authorities = self.authorities.digest if self.authorities else None
        candidates = tuple(each.digest for each in self.candidates)
        return self.identity and self.identity.digest, candidates, authorities

    def __str__(self) -> str:
        presented = self.identity.name if self.identity else self.choice.value
        return f"{presented} ({self.reason})"


def decide_by_rule(rule: Rule) -> Decision:
    """The decision that a rule makes."""
    reason = f"rule `{rule.name}` of {rule.origin}"
    if rule.candidates:
        reason += f": the server's request chooses among {len(rule.candidates)} identities"
        return Decision(Choice.SERVER_REQUEST, None, rule.candidates, rule, reason)
    choice = Choice.IDENTITY if rule.identity else Choice.NONE
    return Decision(choice, rule.identity, (), rule, reason)


def decide_by_default(identities: tuple[Identity, ...], *, offered: bool) -> Decision:
    """The decision for endpoints without a rule; ``offered`` is ``unlisted_hosts``."""
    if not identities:
        return Decision(Choice.NONE, None, (), None, "no rule, and no identity to offer")
    if not offered:
        return Decision(Choice.NONE, None, (), None, 'no rule, and unlisted_hosts = "none"')
    if len(identities) == 1:
        reason = "no rule: the only identity is offered to whoever asks"
        return Decision(Choice.IDENTITY, identities[0], (), None, reason)
    reason = f"no rule: the server's request chooses among {len(identities)} identities"
    return Decision(Choice.SERVER_REQUEST, None, identities, None, reason)


class Policy:
    """All rules and the default. Immutable but for its memo."""

    def __init__(
        self,
        hosts: Mapping[HostPattern, Rule],
        services: Mapping[str, Rule],
        default: Decision,
    ) -> None:
        self.hosts = {pattern: decide_by_rule(rule) for pattern, rule in hosts.items()}
        self.services = {name: decide_by_rule(rule) for name, rule in services.items()}
        self.default = default
        # Whether a port can change any decision, so that nobody looks for one in vain.
        self._with_port = {
            HostPattern(pattern.host, None, pattern.wildcard)
            for pattern in hosts
            if pattern.port is not None
        }
        self.has_port_rules = bool(self._with_port)
        self._memo: dict[tuple[str | None, int | None, str | None], Decision] = {}

    def select(
        self, host: str | None, port: int | None = None, service: str | None = None
    ) -> Decision:
        """The decision for a connection to ``host``, in whatever spelling, for ``service``."""
        try:
            return self._memo[host, port, service]
        except KeyError:
            return self._remember(host, port, service)

    def examine(
        self, host: str | None, port: int | None = None, service: str | None = None
    ) -> Iterator[tuple[str, Decision | None]]:
        """Each place where a rule could stand, most specific first, and the decision there."""
        if service is not None:
            yield f"service {service}", self.services.get(service)
        if host is not None:
            for pattern in _patterns(canonical_host(host), port):
                yield str(pattern), self.hosts.get(pattern)
        yield "default", self.default

    def port_matters(self, host: str | None) -> bool:
        """Whether some rule for this very host, or a wildcard that fits it, has a port."""
        if host is None or not self.has_port_rules:
            return False
        return any(bare in self._with_port for bare in _patterns(canonical_host(host), None))

    def _remember(self, host: str | None, port: int | None, service: str | None) -> Decision:
        found = (decision for _, decision in self.examine(host, port, service) if decision)
        decision = next(found)
        if len(self._memo) >= _MEMO_LIMIT:
            self._memo.clear()
        self._memo[host, port, service] = decision
        return decision


def _patterns(host: str, port: int | None) -> Iterator[HostPattern]:
    """The patterns that fit a canonical host, most specific first."""
    if port is not None:
        yield HostPattern(host, port)
    yield HostPattern(host)
    label, _, domain = host.partition(".")
    # An address has no labels that a wildcard could stand for (RFC 6125, section 6.4.3).
    if not label or not domain or is_address(host):
        return
    if port is not None:
        yield HostPattern(domain, port, wildcard=True)
    yield HostPattern(domain, wildcard=True)
