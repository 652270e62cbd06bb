"""Checks of rules: what is never used, and what another rule hides.

:mod:`..settings.conflicts` refuses two answers to one question; here they are two questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from ...base import HostPattern
from ...decisions import Generation, Rule
from ...identity import Identity, Validity
from ...settings import Reading, UnlistedHosts
from .diagnostic import Diagnostic, DiagnosticCode

_USE_OR_DROP = "Give it its hosts or services, or take it out"


def check_rules(generation: Generation, moment: datetime) -> Iterator[Diagnostic]:
    """Identities and rules that never count, at an aware moment."""
    if generation.settings.unlisted_hosts is UnlistedHosts.NONE:
        yield from map(_unused, _without_rule(generation))
    else:
        yield from _shadowed(generation, moment)
    yield from _hidden_rules(generation)


def check_offer(reading: Reading, generation: Generation) -> Iterator[Diagnostic]:
    """One identity that goes to every host that asks, where nobody has said that it is to."""
    is_said = "unlisted_hosts" in dict(reading.origins)
    is_offered = generation.settings.unlisted_hosts is UnlistedHosts.OFFER
    if is_said or not is_offered or len(generation.identities) != 1:
        return
    (identity,) = generation.identities
    problem = (
        f"the identity {identity.name!r} is presented to every host that asks for a certificate of"
        " its kind, also to those that no rule names"
    )
    remedy = (
        "Name its hosts and set MXCERT_UNLISTED_HOSTS=none (`unlisted_hosts` of the file); if every"
        " host may see it, set it to `offer`"
    )
    code = DiagnosticCode.OFFERED_TO_EVERYONE
    yield Diagnostic.of_identity(identity, code, problem, remedy)


def check_service_prefixes(reading: Reading) -> Iterator[Diagnostic]:
    """Prefixes for the services of WSDLs that no service's name begins with."""
    settings = reading.settings
    known = [each.identifier for each in settings.rules]
    known += [service for service, _ in settings.services]
    used = {prefix for name in known for prefix in _beginnings(name)}
    origin = str(dict(reading.origins).get("service_prefixes", "service_prefixes"))
    for prefix in settings.service_prefixes:
        if prefix not in used:
            problem = f"the prefix {prefix!r} is in front of no service that has a rule"
            remedy = "Correct it, or drop it"
            yield Diagnostic(
                code=DiagnosticCode.UNUSED_SERVICE_PREFIX,
                origin=origin,
                problem=problem,
                remedy=remedy,
            )


def _beginnings(name: str) -> Iterator[str]:
    """What stands in front of each dot."""
    return (name[:at] for at, each in enumerate(name) if each == ".")


def _without_rule(generation: Generation) -> list[Identity]:
    policy = generation.policy
    decisions = [*policy.hosts.values(), *policy.services.values()]
    rules = [decision.rule for decision in decisions if decision.rule]
    named = {identity for rule in rules for identity in (rule.identity, *rule.candidates)}
    return [each for each in generation.identities if each not in named]


def _unused(identity: Identity) -> Diagnostic:
    reason = 'it has no rule, and unlisted_hosts is "none"'
    problem = f"the identity {identity.name!r} is never used: {reason}"
    return Diagnostic.of_identity(identity, DiagnosticCode.UNUSED_IDENTITY, problem, _USE_OR_DROP)


def _shadowed(generation: Generation, moment: datetime) -> Iterator[Diagnostic]:
    """Identities that fit no server's request which an earlier one does not fit as well."""
    without_rule = set(_without_rule(generation))
    earlier: list[tuple[Identity, set[bytes]]] = []
    for identity in generation.identities:
        issuers = _issuers(identity)
        if identity in without_rule:
            first = (
                each
                for each, theirs in earlier
                if each.key_type == identity.key_type and theirs >= issuers
            )
            yield from (_shadowed_by(each, identity) for each in islice(first, 1))
        if identity.validity_at(moment) is Validity.VALID:
            earlier.append((identity, issuers))


def _shadowed_by(earlier: Identity, identity: Identity) -> Diagnostic:
    problem = (
        f"the identity {identity.name!r} is never used: it has no rule, and where a server's"
        f" request would choose it, {earlier.name!r} comes first (the same issuers and kind of key)"
    )
    return Diagnostic.of_identity(identity, DiagnosticCode.SHADOWED_IDENTITY, problem, _USE_OR_DROP)


def _issuers(identity: Identity) -> set[bytes]:
    return {each.issuer_der for each in identity.certificates}


def _hidden_rules(generation: Generation) -> Iterator[Diagnostic]:
    """``*.domain:port`` that gives way to ``host``, although only the former names the port."""
    hosts = generation.policy.hosts
    rules = {
        pattern: decision.rule
        for pattern, decision in hosts.items()
        if decision.rule and decision.rule.identity
    }
    wildcards = _wildcards_with_port(rules)
    for pattern, rule in rules.items():
        if pattern.wildcard or pattern.port is not None:
            continue
        for wildcard in wildcards.get(pattern.host.partition(".")[2], ()):
            is_said = HostPattern(pattern.host, wildcard.port) in hosts
            if not is_said and rules[wildcard].identity is not rule.identity:
                yield _hidden(pattern, rule, wildcard, rules[wildcard])


def _wildcards_with_port(rules: Iterable[HostPattern]) -> dict[str, list[HostPattern]]:
    """By the domain behind their ``*.``."""
    found: dict[str, list[HostPattern]] = {}
    for pattern in rules:
        if pattern.wildcard and pattern.port is not None:
            found.setdefault(pattern.host, []).append(pattern)
    return found


def _hidden(pattern: HostPattern, rule: Rule, wildcard: HostPattern, hidden: Rule) -> Diagnostic:
    endpoint = HostPattern(pattern.host, wildcard.port)
    problem = (
        f"`{wildcard}` does not count for `{endpoint}`, since the rule `{rule.name}` of"
        f" {rule.origin} is more specific and gives another identity"
    )
    remedy = f"Write a rule for `{endpoint}` that says which of the two is meant"
    return Diagnostic(
        code=DiagnosticCode.HIDDEN_RULE, origin=hidden.origin, problem=problem, remedy=remedy
    )
