"""What is decided where nobody sees the server's request."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mxcert_runtime.decisions import Choice, WithheldUnasked, decide_unasked
from mxcert_runtime.decisions.policy import Rule, decide_by_rule
from mxcert_runtime.errors import MxcertError
from tests.decisions.policies import identity, make_policy
from tests.support.identities import identity_of
from tests.support.pki import Authority, now


def test_one_identity_or_none() -> None:
    """What a rule gives without the server's request stays as it is."""
    policy = make_policy({"a.test": "a", "none.test": None}, offered=False)
    for host in ("a.test", "none.test", "unlisted.test"):
        decision = policy.select(host)
        assert decision is decide_unasked(decision, now())


@pytest.mark.parametrize("identities", [("only",), ("one", "two")])
def test_what_is_offered(identities: tuple[str, ...]) -> None:
    """What the request would choose by default is withheld, with a remedy."""
    decision = decide_unasked(make_policy(identities=identities).select("a.test"), now())
    assert isinstance(decision, WithheldUnasked)
    assert (Choice.NONE, (), None) == (decision.choice, decision.presentable, decision.rule)
    assert "Give the hosts a rule" in decision.remedy


def test_a_rule_of_several() -> None:
    """The one that is valid is given; of several that are, and of none, nobody chooses."""
    one, two = identity("one"), identity("two")
    past = now() - timedelta(days=30), now() - timedelta(days=10)
    leaf = Authority("Policy root").issue("old", not_before=past[0], not_after=past[1])
    old = identity_of(leaf, "old")
    rule = Rule("pair", old, "tests", candidates=(old, two))
    decision = decide_unasked(decide_by_rule(rule), now())
    assert (Choice.IDENTITY, two, rule) == (decision.choice, decision.identity, decision.rule)
    rule = Rule("pair", one, "tests", candidates=(one, two))
    with pytest.raises(MxcertError, match=r"'one', 'two'.*does not show the request"):
        decide_unasked(decide_by_rule(rule), now())
    with pytest.raises(MxcertError, match="none that is valid now"):
        decide_unasked(decide_by_rule(rule), one.not_after + timedelta(days=1))
