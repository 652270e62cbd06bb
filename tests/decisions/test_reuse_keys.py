"""Which decisions a kept connection serves, and which it does not."""

from __future__ import annotations

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.decisions.policy import Decision, Rule, decide_by_default, decide_by_rule
from mxcert_runtime.identity.authorities import Authorities
from mxcert_runtime.identity.identity import Identity
from tests.decisions.policies import identity, rule


def _by_authorities(digest: str | None) -> Decision:
    own = None if digest is None else Authorities("PEM", digest)
    return decide_by_rule(Rule("a", identity("one"), "test", own))


def test_reuse_keys_of_the_same() -> None:
    """A kept connection serves every decision with the same certificate and authorities."""
    by_rule = decide_by_rule(rule("a.example", "one"))
    by_default = decide_by_default((identity("one"),), offered=True)
    assert by_rule.reuse_key == decide_by_rule(rule("b.example", "one")).reuse_key
    # By default the server may not have got it.
    assert by_rule.reuse_key != by_default.reuse_key
    assert by_rule.reuse_key == _by_authorities(None).reuse_key
    assert _by_authorities("x").reuse_key == _by_authorities("x").reuse_key


def test_reuse_key_of_the_same_material_in_another_generation() -> None:
    """A reload that reads the same certificate retires nothing."""
    one = identity("one")
    again = Identity("renamed", Origin("b"), one.leaf, one.key, one.intermediates)
    renewed = decide_by_rule(Rule("a", again, "test"))
    assert decide_by_rule(rule("a", "one")).reuse_key == renewed.reuse_key


def test_reuse_keys_of_others() -> None:
    """Another certificate, other candidates or other authorities have another key."""
    decisions = [
        decide_by_rule(rule("a", "one")),
        decide_by_rule(rule("a", "two")),
        decide_by_rule(rule("a", None)),
        decide_by_default((identity("one"), identity("two")), offered=True),
        decide_by_default((identity("two"), identity("one")), offered=True),
        _by_authorities("x"),
        _by_authorities("y"),
    ]
    assert len(decisions) == len({decision.reuse_key for decision in decisions})


def test_no_reuse_key_where_nothing_is_presented() -> None:
    """Connections that are as without us can be used as without us."""
    nothing = [
        decide_by_rule(rule("a", None)),
        decide_by_default((), offered=True),
        decide_by_default((identity("one"),), offered=False),
    ]
    assert [None] * 3 == [decision.reuse_key for decision in nothing]


def test_no_repr_holds_authorities() -> None:
    """The PEM text of authorities is long, and no repr repeats it."""
    assert "PEM" not in repr(_by_authorities("x"))
