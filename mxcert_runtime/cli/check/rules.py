"""Every rule in order of precedence, for ``mxcert check``, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...base import HostPattern, parse_pattern
from ...decisions import Generation, Rule
from ...errors import HostNameError
from ...settings import RuleKind


def describe_rules(generation: Generation) -> list[dict[str, Any]]:
    """The rules of services, then of hosts as ``Policy.examine`` looks for them.

    Where a name can be a host as well as a service, as in the ClientCertificates family, the rule
    stands once, at the place of its host.
    """
    policy = generation.policy
    services = {name: each.rule for name, each in policy.services.items() if each.rule}
    hosts = {pattern: each.rule for pattern, each in policy.hosts.items() if each.rule}
    as_hosts = {name for name, rule in services.items() if (_pattern(name), rule) in hosts.items()}
    return [
        *(_rule(RuleKind.SERVICE, n, r) for n, r in services.items() if n not in as_hosts),
        *(_host_rule(pattern, hosts[pattern], as_hosts) for pattern in _by_precedence(hosts)),
    ]


def describe_default(generation: Generation) -> dict[str, Any]:
    """What an endpoint without a rule gets."""
    default = generation.policy.default
    return {
        "choice": default.choice.value,
        "identity": default.identity.name if default.identity else None,
        "candidates": [each.name for each in default.candidates],
        "reason": default.reason,
    }


def _pattern(name: str) -> HostPattern | None:
    try:
        return parse_pattern(name)
    except HostNameError:
        return None


def _by_precedence(hosts: dict[HostPattern, Rule]) -> Iterator[HostPattern]:
    for wildcard in (False, True):
        for with_port in (True, False):
            for pattern in hosts:
                if (pattern.wildcard, pattern.port is not None) == (wildcard, with_port):
                    yield pattern


def _host_rule(pattern: HostPattern, rule: Rule, as_hosts: set[str]) -> dict[str, Any]:
    if rule.name in as_hosts and _pattern(rule.name) == pattern:
        return _rule(RuleKind.HOST_OR_SERVICE, rule.name, rule)
    return _rule(RuleKind.HOST, str(pattern), rule)


def _rule(kind: RuleKind, pattern: str, rule: Rule) -> dict[str, Any]:
    # The hosts of a service have the rule of the service.
    is_own = kind is not RuleKind.HOST or _pattern(rule.name) == _pattern(pattern)
    return {
        "kind": kind.value,
        "pattern": pattern,
        "identity": rule.identity.name if rule.identity else None,
        "candidates": [each.name for each in rule.candidates],
        "pinned_authorities": list(rule.authorities.sources) if rule.authorities else None,
        "service": None if is_own else rule.name,
        "origin": rule.origin,
    }
