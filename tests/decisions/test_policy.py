"""Rules in, decisions out: DESIGN section 3 in full."""

from __future__ import annotations

import pytest

from mxcert_runtime.base.hosts import HostPattern, UnnamedHost
from mxcert_runtime.decisions import policy as policy_module
from mxcert_runtime.decisions.policy import (
    WITHHELD_FROM_UNNAMED,
    Choice,
    Policy,
    Withheld,
    decide_by_default,
)
from tests.decisions.policies import identity, make_policy, presented, rule

#: most specific first; each has the identity of its own number
ORDER = ("api.example.com:443", "api.example.com", "*.example.com:443", "*.example.com")


@pytest.mark.parametrize("first", range(len(ORDER) + 1))
def test_the_most_specific_rule_wins(first: int) -> None:
    """Of the rules from ``first`` on, ``first`` wins, and without any the default."""
    policy = make_policy({text: text for text in ORDER[first:]})
    expected = [*ORDER, "default"][first]
    assert expected == presented(policy.select("api.example.com", 443))


def test_the_service_comes_first() -> None:
    """The rule of the active service wins over every rule of the host."""
    policy = make_policy({text: text for text in ORDER}, {"Billing": "billing"})
    assert "billing" == presented(policy.select("api.example.com", 443, "Billing"))
    assert ORDER[0] == presented(policy.select("api.example.com", 443, None))


@pytest.mark.parametrize("service", ["Other", "billing", "Billing ", ""])
def test_a_service_without_a_rule_falls_through(service: str) -> None:
    """It goes on with the host; names of services are compared exactly."""
    policy = make_policy({"api.example.com": "host"}, {"Billing": "billing"})
    assert "host" == presented(policy.select("api.example.com", 443, service))
    assert "default" == presented(policy.select("other.example", 443, service))


def test_without_a_host() -> None:
    """Where nobody knows the host, the service counts; the default only where no rule could."""
    policy = make_policy({"*.example.com": "host"}, {"Billing": "billing"})
    assert "billing" == presented(policy.select(None, None, "Billing"))
    assert WITHHELD_FROM_UNNAMED is policy.select(None)
    assert "default" == presented(make_policy(services={"Billing": "billing"}).select(None))


@pytest.mark.parametrize("names", ["a.example", "*.example", "a.example:443"])
@pytest.mark.parametrize("rule_gives", ["host", None])
def test_an_unnamed_host(names: str, rule_gives: str | None) -> None:
    """A rule by name, whatever it gives, keeps the default from whoever is not named."""
    rules = {names: rule_gives, "10.0.0.1": "four", "10.0.0.2": None}
    policy = make_policy(rules)
    found = [presented(policy.select(UnnamedHost(f"10.0.0.{last}"), 443)) for last in (1, 2, 3)]
    assert ["four", "none", "none"] == found
    assert WITHHELD_FROM_UNNAMED is policy.select(UnnamedHost("10.0.0.3"), 443)
    assert WITHHELD_FROM_UNNAMED is policy.select(UnnamedHost(None), 443)
    assert "default" == presented(policy.select("10.0.0.3", 443))
    assert "default" == presented(policy.select("b.test", 443))


def test_an_unnamed_host_where_no_name_has_a_rule() -> None:
    """Rules for addresses are missed by nobody whose address is known."""
    policy = make_policy({"10.0.0.1": None}, {"Billing": None})
    assert "default" == presented(policy.select(UnnamedHost("10.0.0.3"), 443))
    assert "none" == presented(policy.select(UnnamedHost("10.0.0.1"), 443))
    assert WITHHELD_FROM_UNNAMED is policy.select(UnnamedHost(None))


def test_unnamed_hosts_are_offered_the_default() -> None:
    """``unnamed_hosts = "offer"`` gives what hosts without a rule get, and no more."""
    rules = {"a.example": None, "10.0.0.1": None}
    policy = make_policy(rules, offers_unnamed=True)
    found = [presented(policy.select(UnnamedHost(each))) for each in ("10.0.0.1", "::1", None)]
    assert ["none", "default", "default"] == found
    restricted = make_policy({"a.example": "one"}, offered=False, offers_unnamed=True)
    assert "none" == presented(restricted.select(UnnamedHost("10.0.0.3")))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"a.example:1": None}, "none"),
        ({"*.example:1": None}, "none"),
        ({"a.example:1": None, "a.example": "host"}, "none"),
        ({"*.example:1": None, "a.example": "host"}, "host"),
        ({"a.example:1": "port", "a.example": "host"}, "none"),
        ({"a.example:1": "host", "a.example": "host"}, "host"),
        ({"a.example:1": "default"}, "default"),
        ({"a.example:1": "port"}, "none"),
        ({"a.example:1": "port", "a.example": None}, "none"),
        ({"b.example:1": None}, "default"),
    ],
)
def test_an_unknown_port(rules: dict[str, str | None], expected: str) -> None:
    """What a rule for some port would not give is not presented where nobody knows the port."""
    assert expected == presented(make_policy(rules).select("a.example", None))


def test_what_is_withheld_names_rule_and_remedy() -> None:
    """The reason says which rule it was, and the remedy what to write."""
    decision = make_policy({"a.example:1": None}).select("a.example", None)
    assert isinstance(decision, Withheld)
    assert "the port is not known, and the rule `a.example:1` of test" in decision.reason
    assert "`a.example`" in decision.remedy
    assert 'unnamed_hosts = "offer"' in WITHHELD_FROM_UNNAMED.remedy


def test_no_port_fits_every_port() -> None:
    """A rule without a port is for all, one with a port for that alone, 443 included."""
    policy = make_policy({"a.example": "every", "b.example:443": "443"})
    assert {"every"} == {
        presented(policy.select("a.example", port)) for port in (None, 1, 443, 8443)
    }
    assert "443" == presented(policy.select("b.example", 443))
    assert "default" == presented(policy.select("b.example", 8443))


@pytest.mark.parametrize("host", ["a.example.com", "A.EXAMPLE.com.", "xn--bcher-kva.example.com"])
def test_a_wildcard_is_one_label(host: str) -> None:
    """``*`` stands for exactly one label."""
    assert "wild" == presented(make_policy({"*.example.com": "wild"}).select(host))


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        ".example.com",
        "a.b.example.com",
        "a.example.com.evil.tld",
        "api.example.com.evil.tld",
        "evilexample.com",
        "a-example.com",
        "example.com.",
        "a.example.co",
        "a.example.com:443",
        "a.example.com/",
        "a.example.com\x00.evil.tld",
        "evil.tld\x00.example.com.evil",
        "a.example.com%00.evil",
        "*.example.com.evil",
    ],
)
def test_crafted_names_do_not_match(host: str) -> None:
    """Neither a wildcard nor an exact rule fits a name that only looks like it."""
    policy = make_policy({"*.example.com": "wild", "api.example.com": "exact"}, offered=False)
    assert "none" == presented(policy.select(host))


def test_wildcards_below_a_name_with_a_digit() -> None:
    """A name whose last label ends in a digit is no address."""
    policy = make_policy({"*.zone1": "wild", "*.k8s2:443": "port"})
    assert "wild" == presented(policy.select("api.zone1"))
    assert "port" == presented(policy.select("api.k8s2", 443))
    assert policy.port_matters("api.k8s2")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1"])
def test_no_wildcard_fits_an_address(host: str) -> None:
    """An address has no labels (RFC 6125, section 6.4.3), whatever the rules hold."""
    pattern = HostPattern(host.partition(".")[2], None, wildcard=True)
    policy = Policy({pattern: rule("wild", "wild")}, {}, decide_by_default((), offered=True))
    assert "none" == presented(policy.select(host))


def test_addresses_by_value() -> None:
    """An address is the same in any spelling."""
    policy = make_policy({"[2001:db8::1]:443": "six", "10.0.0.1": "four"})
    for spelling in ("2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:db8::0001"):
        assert "six" == presented(policy.select(spelling, 443))
        assert "default" == presented(policy.select(spelling, 8443))
    assert "four" == presented(policy.select("10.0.0.1", 1))
    assert "default" == presented(policy.select("10.0.0.2", 1))


@pytest.mark.parametrize("identities", [(), ("default",), ("default", "other")])
def test_none_wins_over_the_default(identities: tuple[str, ...]) -> None:
    """A rule that says none leaves nothing to the default, for hosts and services alike."""
    policy = make_policy({"a.example": None}, {"Open": None}, identities)
    by_host, by_service = policy.select("a.example"), policy.select("b.example", 443, "Open")
    assert ("none", "none") == (presented(by_host), presented(by_service))
    assert (by_host.rule, by_service.rule) == (
        policy.hosts[HostPattern("a.example")].rule,
        policy.services["Open"].rule,
    )


def test_none_for_one_host_of_a_wildcard() -> None:
    """The more specific rule says none where the wildcard would give an identity."""
    policy = make_policy({"*.example.com": "wild", "open.example.com": None})
    assert "none" == presented(policy.select("open.example.com"))
    assert "wild" == presented(policy.select("a.example.com"))


def test_the_default_with_one_identity() -> None:
    """The only identity is offered to servers that ask for its like."""
    decision = make_policy(identities=["only"]).select("a.example")
    assert (Choice.SERVER_REQUEST, None, (identity("only"),), None) == (
        decision.choice,
        decision.identity,
        decision.candidates,
        decision.rule,
    )


def test_the_default_with_several_identities() -> None:
    """The server's request chooses among all, in the order of the settings."""
    decision = make_policy(identities=["second", "first"]).select("a.example")
    assert (Choice.SERVER_REQUEST, None) == (decision.choice, decision.identity)
    assert ["second", "first"] == [each.name for each in decision.candidates]


@pytest.mark.parametrize("identities", [(), ("only",), ("one", "two")])
def test_unlisted_hosts_none(identities: tuple[str, ...]) -> None:
    """Identities keep to their rules where ``unlisted_hosts`` says so."""
    policy = make_policy({"a.example": "only"}, identities=identities, offered=False)
    decision = policy.select("b.example")
    assert (Choice.NONE, None, ()) == (decision.choice, decision.identity, decision.candidates)
    assert "only" == presented(policy.select("a.example"))


def test_without_identities() -> None:
    """Nothing can be offered where there is nothing."""
    assert Choice.NONE is decide_by_default((), offered=True).choice


def test_reasons() -> None:
    """A decision names the rule that made it, and its origin."""
    policy = make_policy({"a.example": "host", "b.example": None})
    assert "host (rule `a.example` of test)" == str(policy.select("a.example"))
    assert "none (rule `b.example` of test)" == str(policy.select("b.example"))
    assert 'none (no rule, and unlisted_hosts = "none")' == str(
        make_policy(offered=False).select("c.example")
    )


def test_examine_tells_every_place() -> None:
    """All places where a rule could stand come most specific first, with what is there."""
    policy = make_policy({"*.example.com": "wild"}, {"Billing": "billing"})
    places = policy.examine("API.example.com.", 443, "Billing")
    assert [
        ("service Billing", "billing"),
        ("api.example.com:443", None),
        ("api.example.com", None),
        ("*.example.com:443", None),
        ("*.example.com", "wild"),
        ("default", "default"),
    ] == [(place, decision and presented(decision)) for place, decision in places]
    unnamed = [place for place, _ in policy.examine(None, 443)]
    assert ["a host without a name", "default"] == unnamed


@pytest.mark.parametrize(
    ("texts", "host", "expected"),
    [
        ((), "a.example", False),
        (("a.example", "*.example"), "a.example", False),
        (("a.example:443",), "a.example", True),
        (("a.example:443",), "A.example.", True),
        (("a.example:443",), "b.example", False),
        (("*.example:443",), "b.example", True),
        (("*.example:443",), "b.a.example", False),
        (("*.example:443",), "example", False),
        (("[::1]:443",), "0:0::1", True),
        (("[::1]:443",), "::2", False),
        (("a.example:443",), None, False),
    ],
)
def test_port_matters(texts: tuple[str, ...], host: str | None, expected: bool) -> None:
    """Whether a port can change the decision for this host."""
    policy = make_policy(dict.fromkeys(texts, "one"))
    assert any(":443" in text for text in texts) == policy.has_port_rules
    assert expected == policy.port_matters(host)


def test_the_memo_gives_the_same_answer() -> None:
    """A repeated question has the very same answer; spellings share nothing but the answer."""
    policy = make_policy({"a.example": "one"})
    decision = policy.select("a.example", 443)
    assert decision is policy.select("a.example", 443) is policy.select("A.example.", 443)


def test_the_memo_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that dials ever new names does not grow the memo, and still has right answers."""
    monkeypatch.setattr(policy_module, "_MEMO_LIMIT", 16)
    policy = make_policy({"*.example": "wild", "a7.example": "seven"})
    for number in range(100):
        expected = "seven" if number == 7 else "wild"
        assert expected == presented(policy.select(f"a{number}.example", number + 1))
        assert len(policy._memo) <= 16
    assert 0 < policy_module._MEMO_LIMIT < 1_000_000
