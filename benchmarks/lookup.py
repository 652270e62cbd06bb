"""What it costs to ask which identity an endpoint gets, beside a function that asks a dict once."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence

from mxcert_runtime.base.hosts import HostPattern, parse_pattern
from mxcert_runtime.decisions.policy import Policy, Rule, decide_by_default

from .measure import Effort, Figure, Side, Timed, alternate, processor_clock, statement
from .workers import by_hand

NAME = "lookup"

EXACT = "host-0.partner.example"
WILDCARD = "a.cloud.example"
MISS = "unknown.elsewhere.example"
PORT = 8443
SERVICE = "Billing.Invoices"

#: questions of every other kind: host, port and service
OTHERS: dict[str, tuple[str, int | None, str | None]] = {
    "host and port": ("ported.example", PORT, None),
    "IPv6 address": ("2001:db8::1", None, None),
    "international name": ("bücher.example", None, None),
    "service": (MISS, None, SERVICE),
}


def host_rules(size: int) -> dict[HostPattern, Rule]:
    """Rules for ``size`` plain hosts, and one of every other kind."""
    others = ["*.cloud.example", f"ported.example:{PORT}", "2001:db8::1", "bücher.example"]
    names = [*(f"host-{number}.partner.example" for number in range(size)), *others]
    return {parse_pattern(name): Rule(name, None, "benchmark") for name in names}


def make_policy(hosts: Mapping[HostPattern, Rule]) -> Policy:
    """A policy with these rules and one service."""
    services = {SERVICE: Rule(SERVICE, None, "benchmark")}
    return Policy(hosts, services, decide_by_default((), offered=True))


def make_look_up(names: Sequence[str]) -> Callable[[str], object]:
    """The function beside which all is measured."""
    table = dict.fromkeys(names, object())

    def look_up(host: str) -> object:
        return table.get(host)

    return look_up


def _selecting(
    policy: Policy,
    host: str,
    port: int | None = None,
    service: str | None = None,
    label: str = "select",
) -> Side:
    """One question again and again, in the form in which a new connection asks it."""
    code = "select(host, port, service)"
    timed = statement(code, select=policy.select, host=host, port=port, service=service)
    return Side(label, timed)


def _asking_dict(host: str) -> Side:
    timed = statement("look_up(host)", look_up=make_look_up([host]), host=host)
    return Side("dict.get in a function", timed)


def _by_rules(effort: Effort) -> list[Figure]:
    """Does it matter how many rules there are?"""
    policies = {size: make_policy(host_rules(effort.sized(size))) for size in (1, 100, 10_000)}
    figures: list[Figure] = []
    for size, policy in policies.items():
        name = f"exact host, {size:,} {'rule' if size == 1 else 'rules'}"
        figures.append(alternate(name, _selecting(policy, EXACT), _asking_dict(EXACT), effort))
    many = _selecting(policies[10_000], EXACT, label="10,000 rules")
    one = _selecting(policies[1], EXACT, label="1 rule")
    return [*figures, alternate("exact host, 10,000 rules, beside 1 rule", many, one, effort)]


def _by_kind(effort: Effort) -> list[Figure]:
    """Does it matter what is asked?"""
    policy = make_policy(host_rules(effort.sized(10_000)))
    exact = _selecting(policy, EXACT, label="exact host")
    figures: list[Figure] = [
        alternate(f"{name} beside exact host", _selecting(policy, host, label=name), exact, effort)
        for name, host in (("wildcard", WILDCARD), ("miss", MISS))
    ]
    for name, (host, port, service) in OTHERS.items():
        ours = _selecting(policy, host, port, service)
        figures.append(alternate(name, ours, _asking_dict(host), effort))
    return figures


def _each(
    ask: Callable[..., object], names: Sequence[str], *rest: object, fresh: bool = False
) -> Timed:
    """Asks for the names in their order, over again; ``fresh`` ones have no hash yet."""

    def timed(loops: int) -> float:
        asked = list(itertools.islice(itertools.cycle(names), loops))
        if fresh:
            asked = ["".join(list(name)) for name in asked]
        start = processor_clock()
        for name in asked:
            ask(name, *rest)
        return processor_clock() - start

    return timed


def _by_caches(effort: Effort) -> list[Figure]:
    """How much of it is owed to the caches of the processor, and to hashes computed before?"""
    size = effort.sized(10_000)
    policy = make_policy(host_rules(size))
    names = [f"host-{number}.partner.example" for number in range(size)]
    random.Random(1).shuffle(names)  # noqa: S311 - an order, not a secret
    del names[1_000:]
    look_up = make_look_up(names)
    ours = Side("select", _each(policy.select, names, None, None))
    theirs = Side("dict.get in a function", _each(look_up, names))
    ours_fresh = Side("select", _each(policy.select, names, None, None, fresh=True))
    theirs_fresh = Side("dict.get in a function", _each(look_up, names, fresh=True))
    return [
        alternate("1,000 hosts by turns", ours, theirs, effort),
        alternate("1,000 hosts by turns, new strings", ours_fresh, theirs_fresh, effort),
    ]


class _Cold:
    """A policy that has not been asked yet, anew for each chunk."""

    def __init__(self, hosts: Mapping[HostPattern, Rule]) -> None:
        self._hosts = hosts
        self.renew()

    def renew(self) -> None:
        self._policy = make_policy(self._hosts)

    def select(self, host: str, port: int | None, service: str | None) -> object:
        return self._policy.select(host, port, service)


def _first_questions(effort: Effort) -> list[Figure]:
    """What does the first question for a name cost, which later ones do not?"""
    count = effort.sized(1_000)
    cold = _Cold(host_rules(count))
    asked = {
        "exact host": [f"host-{number}.partner.example" for number in range(count)],
        "wildcard": [f"host-{number}.cloud.example" for number in range(count)],
        "miss": [f"host-{number}.elsewhere.example" for number in range(count)],
    }
    figures: list[Figure] = []
    for name, names in asked.items():
        ours = Side("first select", _each(cold.select, names, None, None), cold.renew)
        theirs = Side("dict.get in a function", _each(make_look_up(names), names))
        title = f"first question for a name, {name}"
        figures.append(alternate(title, ours, theirs, effort, loops=count))
    return figures


def measure(effort: Effort) -> list[Figure]:
    """By the number of rules, by kind, by caches, and the first question for a name."""
    return [
        *_by_rules(effort),
        *_by_kind(effort),
        *_by_caches(effort),
        *_first_questions(effort),
    ]


if __name__ == "__main__":
    by_hand(NAME)
