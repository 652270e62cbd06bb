"""Two answers to one question, across all formats."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.hosts import parse_pattern
from mxcert_runtime.settings.conflicts import distinct_rules
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.model import RuleKind, RuleSettings
from tests.settings.readings import only_fault, read, rules, sound
from tests.support.properties import examples

SAME_HOST = [
    ("h.example", "H.Example."),
    ("b\u00fccher.example", "xn--bcher-kva.example"),
    ("[2001:db8::1]:8443", "[2001:DB8:0::1]:8443"),
    ("::1", "0:0:0:0:0:0:0:1"),
    ("*.h.example:443", "*.H.example:443"),
]
OTHER_HOST = [("h.example", "h.example:443"), ("*.h.example", "h.example"), ("a", "b")]


def _two(first: dict[str, Any], second: dict[str, Any]) -> Any:
    return settings_from({"identity": [{"pkcs12": "a", **first}, {"pkcs12": "b", **second}]})


@pytest.mark.parametrize(("first", "second"), SAME_HOST)
def test_one_host_with_two_identities_is_a_fault(first: str, second: str) -> None:
    """Hosts are compared in canonical form; the fault names both places and identities."""
    fault = only_fault(_two({"hosts": [first]}, {"hosts": [second]}))
    assert "identity 2, hosts" in fault.origin
    assert "identity 1, hosts" in fault.problem
    assert "`a`" in fault.problem
    assert "`b`" in fault.problem


@pytest.mark.parametrize(("first", "second"), OTHER_HOST)
def test_two_hosts_are_no_conflict(first: str, second: str) -> None:
    """What is not the same host may have another identity."""
    assert 2 == len(rules(sound(_two({"hosts": [first]}, {"hosts": [second]}))))


def test_services_are_compared_exactly() -> None:
    """The name of a service counts with its case."""
    sound(_two({"services": ["A.B"]}, {"services": ["a.b"]}))
    only_fault(_two({"services": ["A.B"]}, {"services": ["A.B"]}))


def test_a_host_and_a_service_of_one_name() -> None:
    """In the native file the two namespaces are apart."""
    assert 2 == len(rules(sound(_two({"hosts": ["a.b"]}, {"services": ["a.b"]}))))


def test_repetitions_are_dropped() -> None:
    """The same answer twice is one rule."""
    reading = sound(
        settings_from({"identity": {"pkcs12": "a", "hosts": ["H.example", "h.example"]}})
    )
    assert [("H.example", "a")] == rules(reading)


def test_a_repetition_with_another_service_name_is_kept() -> None:
    """Two spellings are one host, but two services."""
    reading = sound(read({"NoClientCertificateUsages": "A.B,a.b,A.B"}))
    assert [("A.B", None), ("a.b", None)] == rules(reading)


def test_never_against_a_certificate() -> None:
    """NoClientCertificateUsages and usages must not contradict each other."""
    environ = {"ClientCertificates": "a", "NoClientCertificateUsages": "h.example"}
    fault = only_fault(read({**environ, "ClientCertificateUsages": '{"H.example": "a"}'}))
    assert "environment variable NoClientCertificateUsages" == fault.origin
    assert "environment variable ClientCertificateUsages gives `H.example`" in fault.problem
    assert "no certificate" in fault.problem
    sound(read({**environ, "ClientCertificateUsages": '{"H.example": ""}'}))


def test_no_certificate_against_hosts() -> None:
    """The native file must not contradict itself either."""
    source = {"identity": {"pkcs12": "a", "hosts": "h"}, "no_certificate": {"hosts": "h"}}
    assert "no_certificate" in only_fault(settings_from(source)).origin


def test_usages_against_inline_pins() -> None:
    """The check spans the formats."""
    pinned = {"pfx": base64.b64encode(b"x").decode(), "password": "", "pin_to": ["h.example"]}
    environ = {
        "ClientCertificates": "a",
        "ClientCertificateUsages": '{"h.example": "a"}',
        "CLIENT_CERTIFICATES": json.dumps([pinned]),
    }
    fault = only_fault(read(environ))
    assert "CLIENT_CERTIFICATES, entry 1, pin_to" in fault.origin
    assert "ClientCertificateUsages" in fault.problem


_RULES = st.lists(
    st.builds(
        RuleSettings,
        identifier=st.sampled_from(["a", "A", "b", "B.", "c_", "no host"]),
        kind=st.sampled_from(RuleKind),
        identity=st.sampled_from([None, "one", "two"]),
        origin=st.integers(0, 99).map(lambda number: Origin("test", str(number))),
    ),
    max_size=8,
)


def _keys(rule: RuleSettings) -> set[object]:
    service = set() if rule.kind is RuleKind.HOST else {rule.identifier}
    is_host = rule.kind is not RuleKind.SERVICE and " " not in rule.identifier
    return service | ({parse_pattern(rule.identifier)} if is_host else set())


@examples(200)
@given(_RULES)
def test_what_is_kept_and_what_is_told(given_rules: list[RuleSettings]) -> None:
    """The model: one against what was before it is told, and one that says nothing new is gone."""
    answers: dict[object, str | None] = {}
    kept, told = [], []
    for rule in given_rules:
        keys = _keys(rule)
        if any(key in answers and answers[key] != rule.identity for key in keys):
            told.append(str(rule.origin))
        elif keys - answers.keys():
            kept.append(rule)
            answers.update(dict.fromkeys(keys, rule.identity))

    found, faults = distinct_rules(given_rules)

    assert (tuple(kept), told) == (found, [each.origin for each in faults])
