"""Rules in, decisions out: which identity an endpoint or a service gets, and why.

Pure: no TLS, no files, no clock. :meth:`Policy.select` is the hot path; it answers a repeated
question from a bounded memo and does everything else once per name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from functools import cached_property

from ..base import Host, HostPattern, UnnamedHost, canonical_host, dataclass, is_address
from ..identity import Authorities, Identity, Validity

#: Distinct questions that are remembered. A client that dials ever new names (a crawler) must not
#: grow the memo without end; past the limit it is begun anew.
_MEMO_LIMIT = 4096


class Choice(Enum):
    """What a decision comes to."""

    IDENTITY = "identity"
    NONE = "none"
    SERVER_REQUEST = "server-request"


class Unverified(Enum):
    """What a server may be offered that the client does not verify; each one more."""

    NOTHING = 0
    #: identities of rules that pin no CAs
    UNPINNED = 1
    ALL = 2


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule: its name as the settings have it, and what it gives.

    ``identity`` ``None`` is: never a client certificate. ``authorities``, where not ``None``,
    are the CAs that this rule pins for its endpoints. ``candidates``, where there are any, are
    several identities of one entry, of which ``identity`` is the first: the server's request
    chooses.
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

    @classmethod
    def none(cls, reason: str, rule: Rule | None = None) -> Decision:
        """No certificate."""
        return cls(choice=Choice.NONE, identity=None, candidates=(), rule=rule, reason=reason)

    @classmethod
    def pinned(cls, identity: Identity, reason: str, rule: Rule) -> Decision:
        """This identity, whatever the server asks for."""
        return cls(
            choice=Choice.IDENTITY, identity=identity, candidates=(), rule=rule, reason=reason
        )

    @classmethod
    def by_request(
        cls, candidates: tuple[Identity, ...], reason: str, rule: Rule | None = None
    ) -> Decision:
        """The first of these that fits what the server asks for."""
        return cls(
            choice=Choice.SERVER_REQUEST,
            identity=None,
            candidates=candidates,
            rule=rule,
            reason=reason,
        )

    @property
    def authorities(self) -> Authorities | None:
        """The pinned CAs, where the rule names some."""
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

    @property
    def presentable(self) -> tuple[Identity, ...]:
        """All that a connection may present by this decision."""
        return self.candidates if self.identity is None else (self.identity,)

    def valid_at(self, moment: datetime) -> list[Identity]:
        """The candidates that are valid at an aware moment."""
        return [each for each in self.candidates if each.validity_at(moment) is Validity.VALID]

    def __str__(self) -> str:
        presented = self.identity.name if self.identity else self.choice.value
        return f"{presented} ({self.reason})"


@dataclass(frozen=True, eq=False)
class Withheld(Decision):
    """Nothing is presented, since nobody can tell whether a rule would say so; with the remedy."""

    remedy: str


@dataclass(frozen=True, eq=False)
class WithheldFromUnverified(Withheld):
    """Nothing is presented, since the client verifies no server."""


def _withhold(reason: str, remedy: str) -> Withheld:
    return Withheld(
        choice=Choice.NONE, identity=None, candidates=(), rule=None, reason=reason, remedy=remedy
    )


def _withhold_from_unverified(decision: Decision) -> Decision:
    return WithheldFromUnverified(
        choice=Choice.NONE,
        identity=None,
        candidates=(),
        rule=decision.rule,
        reason="the client does not verify the server, and require_verified_server keeps from it "
        f"what there is: {decision.reason}",
        remedy="Let the client verify the server (no `verify=False`, no CERT_NONE), or set "
        '`require_verified_server = "off"` (MXCERT_REQUIRE_VERIFIED_SERVER=off) if whoever answers '
        "may have the identity",
    )


#: For a connection whose client names no host, where a rule by name may be meant for it.
WITHHELD_FROM_UNNAMED = _withhold(
    'the client named no host, so no rule by name can count, and unnamed_hosts = "none"',
    "Let the client name the host (`server_hostname`), give its address a rule, or set "
    '`unnamed_hosts = "offer"` (MXCERT_UNNAMED_HOSTS=offer) if the default may go there',
)


def _withhold_without_port(pattern: str, rule: Rule) -> Withheld:
    return _withhold(
        f"the port is not known, and the rule `{rule.name}` of {rule.origin} gives `{pattern}` "
        "less than its host gets on other ports",
        f"Write a rule for `{pattern.rpartition(':')[0]}` that says the same on every port, or let "
        "the program tell the port",
    )


def decide_by_rule(rule: Rule) -> Decision:
    """The decision that a rule makes."""
    reason = f"rule `{rule.name}` of {rule.origin}"
    if rule.candidates:
        reason += f": the server's request chooses among {len(rule.candidates)} identities"
        return Decision.by_request(rule.candidates, reason, rule)
    if rule.identity is None:
        return Decision.none(reason, rule)
    return Decision.pinned(rule.identity, reason, rule)


def decide_by_default(identities: tuple[Identity, ...], *, offered: bool) -> Decision:
    """The decision for endpoints without a rule; ``offered`` is ``unlisted_hosts``."""
    if not identities:
        return Decision.none("no rule, and no identity to offer")
    if not offered:
        return Decision.none('no rule, and unlisted_hosts = "none"')
    if len(identities) == 1:
        reason = "no rule: the only identity is offered to servers that ask for its like"
    else:
        reason = f"no rule: the server's request chooses among {len(identities)} identities"
    return Decision.by_request(identities, reason)


class Policy:
    """All rules and the default. Immutable but for its memo."""

    def __init__(
        self,
        hosts: Mapping[HostPattern, Rule],
        services: Mapping[str, Rule],
        default: Decision,
        *,
        offers_unnamed: bool = False,
        unverified: Unverified = Unverified.UNPINNED,
    ) -> None:
        self.hosts = {pattern: decide_by_rule(rule) for pattern, rule in hosts.items()}
        self.services = {name: decide_by_rule(rule) for name, rule in services.items()}
        self.default = default
        self._offers_unnamed = offers_unnamed
        self._unverified = unverified
        self._for_unverified: dict[Decision, Decision] = {}
        self._has_names = any(not is_address(each.host) for each in hosts)
        # Which ports can change a decision, so that nobody looks for one in vain.
        self._ports: dict[HostPattern, list[int]] = {}
        for pattern in hosts:
            if pattern.port is not None:
                bare = HostPattern(pattern.host, None, pattern.wildcard)
                self._ports.setdefault(bare, []).append(pattern.port)
        self.has_port_rules = bool(self._ports)
        self._memo: dict[tuple[Host | None, int | None, str | None], Decision] = {}

    def select(
        self, host: Host | None, port: int | None = None, service: str | None = None
    ) -> Decision:
        """The decision for a connection to ``host``, in whatever spelling, for ``service``.

        A ``port`` of ``None`` is not known: what a rule for some port of the host withholds is
        then presented on none.
        """
        try:
            return self._memo[host, port, service]
        except KeyError:
            return self._remember(host, port, service)

    def for_unverified(self, decision: Decision) -> Decision:
        """What a decision comes to for a connection that verifies no server."""
        is_pinned = decision.authorities is not None
        offered = Unverified.ALL if is_pinned else Unverified.UNPINNED
        if not decision.presentable or self._unverified.value >= offered.value:
            return decision
        if decision not in self._for_unverified:
            self._for_unverified[decision] = _withhold_from_unverified(decision)
        return self._for_unverified[decision]

    def examine(
        self, host: Host | None, port: int | None = None, service: str | None = None
    ) -> Iterator[tuple[str, Decision | None]]:
        """Each place where a rule could stand, most specific first, and the decision there."""
        if service is not None:
            yield f"service {service}", self.services.get(service)
        if port is None:
            yield from self._examine_ports(host)
        yield from self._examine_host(host, port)

    def port_matters(self, host: Host | None) -> bool:
        """Whether some rule for this very host, or a wildcard that fits it, has a port."""
        return self.has_port_rules and bool(self._ports_of(host))

    def _examine_host(
        self, host: Host | None, port: int | None
    ) -> Iterator[tuple[str, Decision | None]]:
        name = _name_or_address(host)
        if name is not None:
            for pattern in _patterns(canonical_host(name), port):
                yield str(pattern), self.hosts.get(pattern)
        if not isinstance(host, str):
            yield "a host without a name", self._for_unnamed(name)
        yield "default", self.default

    def _for_unnamed(self, address: str | None) -> Decision | None:
        """What is withheld where the name is not known; rules for an address need to know it."""
        is_bypassed = self._has_names or (address is None and bool(self.hosts))
        return WITHHELD_FROM_UNNAMED if is_bypassed and not self._offers_unnamed else None

    def _examine_ports(self, host: Host | None) -> Iterator[tuple[str, Decision | None]]:
        """The rules for some port that give less than the host gets without one."""
        ports = self._ports_of(host) if self.has_port_rules else []
        for port in ports:
            pattern, decision = _first(self._examine_host(host, port))
            general = _first(self._examine_host(host, None))[1]
            if decision.rule is not None and not _gives_as_much(decision, general):
                yield pattern, _withhold_without_port(pattern, decision.rule)

    def _ports_of(self, host: Host | None) -> list[int]:
        name = _name_or_address(host)
        bare = () if name is None else _patterns(canonical_host(name), None)
        return [port for each in bare for port in self._ports.get(each, ())]

    def _remember(self, host: Host | None, port: int | None, service: str | None) -> Decision:
        decision = _first(self.examine(host, port, service))[1]
        if len(self._memo) >= _MEMO_LIMIT:
            self._memo.clear()
        self._memo[host, port, service] = decision
        return decision


def _name_or_address(host: Host | None) -> str | None:
    return host.address if isinstance(host, UnnamedHost) else host


def _first(places: Iterator[tuple[str, Decision | None]]) -> tuple[str, Decision]:
    """The place that decides; the default always does."""
    return next((name, decision) for name, decision in places if decision is not None)


def _gives_as_much(decision: Decision, general: Decision) -> bool:
    """Whether all that ``general`` presents may be presented by ``decision`` too.

    Pinned CAs are a condition of what is presented.
    """
    if general.choice is Choice.NONE:
        return True
    is_freer = decision.authorities is None or decision.authorities == general.authorities
    return is_freer and set(general.presentable) <= set(decision.presentable)


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
