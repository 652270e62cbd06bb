"""The policy against a naive reference that looks at every rule."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import example, given, strategies as st

from mxcert_runtime.base.hosts import Host, HostPattern, UnnamedHost
from mxcert_runtime.decisions.policy import Policy
from tests.decisions.policies import make_policy, presented
from tests.support.properties import examples

pytestmark = pytest.mark.any_python


LABELS = ("a", "example", "zone1")
ADDRESSES = ("127.0.0.1", "10.0.0.1", "::1", "2001:db8::1")
PORTS = (None, 443, 8443)
NAMES = (None, "one", "two", "three")
SERVICES = ("Billing", "Orders")

names = st.lists(st.sampled_from(LABELS), min_size=1, max_size=3).map(".".join)
hosts = st.one_of(names, st.sampled_from(ADDRESSES))
patterns = st.one_of(
    st.builds(HostPattern, hosts, st.sampled_from(PORTS)),
    st.builds(HostPattern, names, st.sampled_from(PORTS), st.just(True)),
)


@dataclass(frozen=True)
class Model:
    """A policy as plain data."""

    hosts: dict[HostPattern, str | None]
    services: dict[str, str | None]
    identities: tuple[str, ...]
    offered: bool
    offers_unnamed: bool = False

    def policy(self) -> Policy:
        """The policy under test."""
        by_text = {str(pattern): name for pattern, name in self.hosts.items()}
        return make_policy(
            by_text,
            self.services,
            self.identities,
            offered=self.offered,
            offers_unnamed=self.offers_unnamed,
        )

    def select(self, host: Host | None, port: int | None, service: str | None) -> str:
        """What it must decide."""
        if service in self.services:
            return self.services[service] or "none"
        given = self._give(host, port)
        rules = self._decided_by_port(host) if port is None else []
        if any(not given <= each for each in rules):
            return "none"
        return "server-request" if len(given) > 1 else next(iter(given), "none")

    def _give(self, host: Host | None, port: int | None) -> set[str]:
        """All that the port gives the host."""
        name = host.address if isinstance(host, UnnamedHost) else host
        fitting = [each for each in self.hosts if name is not None and _fits(each, name, port)]
        if fitting:
            return {self.hosts[_best(fitting)]} - {None}  # type: ignore[return-value]
        is_named = isinstance(host, str)
        names = [each for each in self.hosts if each.host not in ADDRESSES or name is None]
        if not self.offered or (names and not is_named and not self.offers_unnamed):
            return set()
        return set(self.identities)

    def _decided_by_port(self, host: Host | None) -> list[set[str]]:
        """What the rules give that a port brings about."""
        name = host.address if isinstance(host, UnnamedHost) else host
        fitting = [
            [each for each in self.hosts if name is not None and _fits(each, name, port)]
            for port in PORTS[1:]
        ]
        found = [_best(each) for each in fitting if each and any(one.port for one in each)]
        return [{self.hosts[each]} - {None} for each in found]  # type: ignore[misc]


def _best(fitting: list[HostPattern]) -> HostPattern:
    return max(fitting, key=lambda each: (not each.wildcard, each.port is not None))


def _fits(pattern: HostPattern, host: str, port: int | None) -> bool:
    if pattern.port is not None and pattern.port != port:
        return False
    if not pattern.wildcard:
        return host == pattern.host
    return host not in ADDRESSES and host.split(".")[1:] == pattern.host.split(".")


models = st.builds(
    Model,
    st.dictionaries(patterns, st.sampled_from(NAMES), max_size=12),
    st.dictionaries(st.sampled_from(SERVICES), st.sampled_from(NAMES)),
    st.lists(st.sampled_from(NAMES[1:]), unique=True).map(tuple),
    st.booleans(),
    st.booleans(),
)
questions = st.tuples(
    st.one_of(
        st.none(),
        hosts,
        st.builds(UnnamedHost, st.one_of(st.none(), st.sampled_from(ADDRESSES))),
    ),
    st.sampled_from(PORTS),
    st.one_of(st.none(), st.sampled_from((*SERVICES, "Unknown"))),
)
respellings = st.sampled_from([str.upper, str.title, lambda host: host + ".", lambda host: host])


ONE_LABEL = Model({HostPattern("zone1", None, wildcard=True): "one"}, {}, (), offered=False)


@examples(300)
@example(ONE_LABEL, [(("a.zone1", None, None), str.upper)])
@given(models, st.lists(st.tuples(questions, respellings), min_size=1, max_size=8))
def test_the_policy_is_its_model(model: Model, asked: list) -> None:  # type: ignore[type-arg]
    """The policy decides as the reference does, in whatever spelling and however often asked."""
    policy = model.policy()
    for (host, port, service), respell in asked * 2:
        spelling = respell(host) if isinstance(host, str) else host
        expected = model.select(host, port, service)
        assert expected == presented(policy.select(spelling, port, service))


@examples(300)
@given(models, hosts)
def test_port_matters_is_true_where_a_port_changes_the_answer(model: Model, host: str) -> None:
    """Where the port is said not to matter, no port changes the decision."""
    policy = model.policy()
    answers = {policy.select(host, port) for port in PORTS}
    assert policy.port_matters(host) or 1 == len(answers)
    assert any(pattern.port for pattern in model.hosts) == policy.has_port_rules
