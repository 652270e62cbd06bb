"""Identities and rules that never count are told, and those that do are not."""

from __future__ import annotations

import datetime

import pytest

from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.decisions.generation import Generation
from mxcert_runtime.diagnosis.checks.diagnostic import DiagnosticCode
from mxcert_runtime.diagnosis.checks.rules import check_offer, check_rules, check_service_prefixes
from mxcert_runtime.settings.loading import settings_from
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, now

from .conftest import Build

DAY = datetime.timedelta(days=1)


def about_rules(generation: Generation) -> list[tuple[str, str | None]]:
    """Code and identity of each diagnostic of rules."""
    return [(each.code.value, each.identity) for each in check_rules(generation, now())]


def test_an_identity_that_nothing_uses(build: Build, alpha: Leaf, beta: Leaf) -> None:
    """Without a rule an identity is used by the default alone, which the settings can turn off."""
    assert [("unused-identity", "one")] == about_rules(build(alpha, unlisted_hosts="none"))
    assert [] == about_rules(build(alpha))


@pytest.mark.parametrize(
    ("count", "unlisted", "expected"),
    [
        (1, None, ["offered-to-everyone"]),
        (1, "offer", []),
        (1, "none", []),
        (2, None, []),
        (0, None, []),
    ],
)
def test_an_identity_that_goes_to_everyone(
    client_files: ClientFiles,
    alpha: Leaf,
    beta: Leaf,
    count: int,
    unlisted: str | None,
    expected: list[str],
) -> None:
    """With one identity every host that asks gets it, unless the settings say what is meant."""
    one = client_files.identity("one", alpha, hosts=["api.example"])
    entries = [one, client_files.identity("two", beta)][:count]
    said = {} if unlisted is None else {"unlisted_hosts": unlisted}
    reading = settings_from({"identity": entries, **said})
    told = list(check_offer(reading, build_generation(reading)))
    assert expected == [each.code.value for each in told]
    assert all("MXCERT_UNLISTED_HOSTS=none" in each.remedy for each in told)
    assert not any(each.is_error for each in told)


def test_an_identity_that_an_earlier_one_shadows(
    build: Build, alpha: Leaf, beta: Leaf, intermediate: Authority
) -> None:
    """No request chooses an identity whose issuers and kind of key an earlier one has too."""
    assert [("shadowed-identity", "two")] == about_rules(build(alpha, beta))
    # One below the other's issuer fits wherever that fits, and not the other way round.
    below = intermediate.issue("below", server=False)
    assert [("shadowed-identity", "two")] == about_rules(build(below, alpha))
    assert [] == about_rules(build(alpha, below))


def test_what_shadows_nothing(build: Build, alpha: Leaf, client_authority: Authority) -> None:
    """The twins: another kind of key, another issuer, an earlier one that has expired."""
    expired = client_authority.issue("x", not_before=now() - 2 * DAY, not_after=now() - DAY)
    assert [] == about_rules(build(alpha, client_authority.issue("key", key="ed25519")))
    assert [] == about_rules(build(alpha, Authority("Other root").issue("issuer")))
    assert [] == about_rules(build(expired, alpha))


def _with_hosts(files: ClientFiles, alpha: Leaf, beta: Leaf, *hosts: list[str]) -> Generation:
    first = files.identity("one", alpha, hosts=hosts[0])
    second = files.identity("two", beta, hosts=hosts[1])
    return build_generation(settings_from({"identity": [first, second]}))


def test_a_rule_that_another_one_hides(client_files: ClientFiles, alpha: Leaf, beta: Leaf) -> None:
    """A wildcard with a port does not count for a host that has a rule of its own without one."""
    hosts = (["*.pay.example:8443"], ["api.pay.example"])
    generation = _with_hosts(client_files, alpha, beta, *hosts)
    (diagnostic,) = check_rules(generation, now())
    assert DiagnosticCode.HIDDEN_RULE is diagnostic.code
    assert "`*.pay.example:8443` does not count for `api.pay.example:8443`" in diagnostic.problem
    assert "`api.pay.example:8443`" in diagnostic.remedy
    # What it says is so.
    assert "two" == generation.policy.select("api.pay.example", 8443).identity.name  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "hosts",
    [
        (["*.pay.example:8443"], ["api.pay.example", "api.pay.example:8443"]),
        (["*.pay.example:8443"], ["api.pay.example:444"]),
        (["*.pay.example"], ["api.pay.example"]),
        (["*.pay.example:8443", "api.pay.example"], ["other.example"]),
        (["*.pay.example:8443"], ["pay.example", "*.example", "a.b.pay.example"]),
    ],
)
def test_rules_that_hide_nothing(
    client_files: ClientFiles, alpha: Leaf, beta: Leaf, hosts: tuple[list[str], list[str]]
) -> None:
    """The twins: what is meant is said, or both give the same, or the names are others."""
    assert [] == about_rules(_with_hosts(client_files, alpha, beta, *hosts))


def test_a_service_prefix_without_a_service(client_files: ClientFiles, alpha: Leaf) -> None:
    """A prefix that is in front of no service's name is told, with where it stands."""
    identity = client_files.identity("one", alpha, services=["Billing.Invoices"])
    reading = settings_from({"identity": [identity], "service_prefixes": ["Billing", "Biling"]})
    (diagnostic,) = check_service_prefixes(reading)
    assert "unused-service-prefix" == diagnostic.code.value
    assert "'Biling'" in diagnostic.problem
    assert "settings argument, service_prefixes" == diagnostic.origin
