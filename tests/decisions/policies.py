"""Policies made of the names of their identities."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from mxcert_runtime.base.hosts import parse_pattern
from mxcert_runtime.decisions.policy import Decision, Policy, Rule, decide_by_default
from mxcert_runtime.identity.identity import Identity
from tests.support.identities import identity_of
from tests.support.pki import Authority


@functools.cache
def identity(name: str) -> Identity:
    """An identity with this name, the same one for the same name."""
    leaf = Authority("Policy root").issue(name)
    return identity_of(leaf, name)


def rule(name: str, identity_name: str | None) -> Rule:
    """A rule for an identity; ``None`` is none."""
    return Rule(name, None if identity_name is None else identity(identity_name), "test")


def make_policy(
    hosts: Mapping[str, str | None] | None = None,
    services: Mapping[str, str | None] | None = None,
    identities: Iterable[str] = ("default",),
    *,
    offered: bool = True,
    offers_unnamed: bool = False,
) -> Policy:
    """A policy with rules by the names of their identities."""
    return Policy(
        {parse_pattern(text): rule(text, name) for text, name in (hosts or {}).items()},
        {text: rule(text, name) for text, name in (services or {}).items()},
        decide_by_default(tuple(map(identity, identities)), offered=offered),
        offers_unnamed=offers_unnamed,
    )


def presented(decision: Decision) -> str:
    """The name of the only identity that may be presented, or the choice in its place."""
    names = [each.name for each in decision.presentable]
    return names[0] if len(names) == 1 else decision.choice.value
