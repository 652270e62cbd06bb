"""What all formats together must not say: two answers to one question.

Hosts are compared in canonical form, service names exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Union

from ..base import HostPattern, parse_pattern
from ..errors import Fault, HostNameError
from ..identity import IdentitySettings
from .model import RuleKind, RuleSettings

Key = Union[HostPattern, str]


def distinct_rules(rules: Iterable[RuleSettings]) -> tuple[tuple[RuleSettings, ...], list[Fault]]:
    """The rules without repetitions; two identities for one identifier are a fault."""
    first: dict[Key, RuleSettings] = {}
    kept, faults = [], []
    for rule in rules:
        keys = _keys(rule)
        # Each is looked up once: its hash is Python's work, and there may be ten thousand.
        earlier = [first.get(key) for key in keys]
        clash = next((x for x in earlier if x is not None and x.identity != rule.identity), None)
        if clash is not None:
            faults.append(_conflict(clash, rule))
        elif None in earlier:
            kept.append(rule)
            for key in keys:
                first.setdefault(key, rule)
    return tuple(kept), faults


def _keys(rule: RuleSettings) -> list[Key]:
    keys: list[Key] = [] if rule.kind is RuleKind.HOST else [rule.identifier]
    pattern = None if rule.kind is RuleKind.SERVICE else _pattern(rule.identifier)
    return keys if pattern is None else [*keys, pattern]


def _pattern(identifier: str) -> HostPattern | None:
    try:
        return parse_pattern(identifier)
    except HostNameError:
        return None  # the name of a service need not be one of a host


def _conflict(first: RuleSettings, second: RuleSettings) -> Fault:
    problem = (
        f"gives `{second.identifier}` {_shown(second.identity)}, but {first.origin} gives"
        f" `{first.identifier}` {_shown(first.identity)}"
    )
    return Fault(str(second.origin), problem, "Keep one of the two")


def _shown(identity: str | None) -> str:
    return "no certificate" if identity is None else f"the certificate `{identity}`"


def distinct_identities(
    identities: Iterable[IdentitySettings],
) -> tuple[tuple[IdentitySettings, ...], list[Fault]]:
    """The identities of which the names are unique; a name that comes again is a fault."""
    by_name: dict[str, IdentitySettings] = {}
    faults = []
    for identity in identities:
        first = by_name.setdefault(identity.name, identity)
        if first is not identity:
            problem = f"has the name `{identity.name}`, which {first.origin} has too"
            remedy = "Give each identity a `name` of its own, or make one of the two"
            faults.append(Fault(str(identity.origin), problem, remedy))
    return tuple(by_name.values()), faults
