"""The native structure: identities, rules, choices, and no key that nobody reads."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.base.secret import Secret
from mxcert_runtime.identity.sources import AuthorityFile, PemFiles, Pkcs12File, Pkcs12Inline
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.model import (
    ExpiredIdentities,
    Reading,
    RuleKind,
    UnlistedHosts,
    UnnamedHosts,
)
from tests.settings.readings import (
    names_and_passwords,
    only_fault,
    only_warning,
    read_file,
    rules,
    sound,
)

FULL = """
unlisted_hosts = "none"
unnamed_hosts = "offer"
expired_identities = "refuse"
trust_cache = false
ca = ["extra.pem"]
[[identity]]
name = "billing"
pkcs12 = "/run/secrets/billing.p12"
password = "hunter2"
hosts = ["api.billing.example", "*.pay.example:8443"]
services = ["Billing.Invoices"]
ca = ["/etc/ssl/billing-ca.pem"]
[[identity]]
certificate = "pem/c.pem"
key = 'pem/k.pem'
[no_certificate]
hosts = ["plain.example"]
services = ["Plain"]
[services]
"Billing.Orders" = ["orders.billing.example"]
"""


def _from(**source: Any) -> Reading:
    return settings_from(source, environ={"PW": "from variable", "EMPTY": ""})


def _identity(**changes: Any) -> Reading:
    return _from(identity=[{"pkcs12": "a.p12", **changes}])


def test_the_whole_structure(tmp_path: Path) -> None:
    """Every key of the file arrives where it belongs."""
    settings = sound(read_file(tmp_path, "x.toml", FULL)).settings
    assert UnlistedHosts.NONE is settings.unlisted_hosts
    assert UnnamedHosts.OFFER is settings.unnamed_hosts
    assert ExpiredIdentities.REFUSE is settings.expired_identities
    assert settings.trust_cache is False
    assert (("Billing.Orders", ("orders.billing.example",)),) == settings.services
    path = str(tmp_path / "x.toml")
    extra = AuthorityFile(str(tmp_path / "extra.pem"), Origin(path, "ca"))
    assert (extra,) == settings.authorities
    first, second = settings.identities
    assert Pkcs12File("/run/secrets/billing.p12") == first.material
    own = AuthorityFile("/etc/ssl/billing-ca.pem", Origin(path, "identity 1 (billing), ca"))
    assert (own,) == first.authorities
    assert Origin(path, "identity 1 (billing), password") == first.password_origin
    certificate, key = str(tmp_path / "pem/c.pem"), str(tmp_path / "pem/k.pem")
    assert PemFiles(certificate, key) == second.material
    assert certificate == second.name
    assert (None, None) == (second.password, second.password_origin)


def test_rules_have_kind_and_origin(tmp_path: Path) -> None:
    """Hosts and services are rules of their own kind, and none is a rule as well."""
    reading = sound(read_file(tmp_path, "x.toml", FULL))
    path = str(tmp_path / "x.toml")
    expected = [
        ("api.billing.example", RuleKind.HOST, "billing", "identity 1 (billing), hosts"),
        ("*.pay.example:8443", RuleKind.HOST, "billing", "identity 1 (billing), hosts"),
        ("Billing.Invoices", RuleKind.SERVICE, "billing", "identity 1 (billing), services"),
        ("plain.example", RuleKind.HOST, None, "no_certificate, hosts"),
        ("Plain", RuleKind.SERVICE, None, "no_certificate, services"),
    ]
    assert [(a, b, c, Origin(path, d)) for a, b, c, d in expected] == [
        (rule.identifier, rule.kind, rule.identity, rule.origin) for rule in reading.settings.rules
    ]


def test_json_and_yaml_have_the_same_structure(tmp_path: Path) -> None:
    """The formats differ in spelling alone."""
    content = {"unlisted_hosts": "none", "identity": [{"pkcs12": "/a", "hosts": ["h.example"]}]}
    text = json.dumps(content)
    readings = [sound(read_file(tmp_path, f"x.{kind}", text)) for kind in ("json", "yaml", "YML")]
    assert [[("h.example", "/a")]] * 3 == [rules(reading) for reading in readings]
    assert {UnlistedHosts.NONE} == {reading.settings.unlisted_hosts for reading in readings}


@pytest.mark.parametrize(
    ("path", "is_relative"),
    [("a.p12", True), ("/a.p12", False), ("C:\\a.p12", False), ("\\\\host\\a.p12", False)],
)
def test_paths_are_relative_to_the_file(tmp_path: Path, path: str, is_relative: bool) -> None:
    """A relative path starts at the file's folder; Windows paths are absolute everywhere."""
    text = json.dumps({"identity": [{"pkcs12": path}]})
    expected = str(tmp_path / path) if is_relative else path
    material = sound(read_file(tmp_path, "x.json", text)).settings.identities[0].material
    assert Pkcs12File(expected) == material


def test_the_key_may_be_in_the_certificate_file() -> None:
    """Without ``key`` one file holds both."""
    reading = sound(_from(identity=[{"certificate": "both.pem"}]))
    assert PemFiles("both.pem", "both.pem") == reading.settings.identities[0].material


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"name": "x"},
        {"key": "k.pem"},
        {"pkcs12": "a", "certificate": "b"},
        {"pkcs12": "a", "key": "b"},
        {"pkcs12": ""},
        {"pkcs12": 7},
        {"certificate": 7},
        {"pkcs12": "a\nb"},
        {"certificate": "a", "key": ["b"]},
        {"pkcs12": "a", "name": ""},
        {"pkcs12": "a", "hosts": [7]},
        {"pkcs12": "a", "hosts": ["https://h.example/x"]},
        {"pkcs12": "a", "hosts": ["Under score"]},
        {"pkcs12": "a", "hosts": ["a..b"]},
        {"pkcs12": "a", "services": [""]},
        {"pkcs12": "a", "ca": [None]},
        {"pkcs12": "a", "ca": ["a\tb"]},
        {"pkcs12": "a", "password": 7},
        {"pkcs12": "a", "password": b"bytes"},
        {"pkcs12": "a", "password": "x", "password_env": "PW"},
        {"pkcs12": "a", "password_env": "UNSET"},
        {"pkcs12": "a", "password_file": "/nonexistent/pw"},
    ],
)
def test_a_wrong_identity_is_a_fault_and_left_out(identity: dict[str, object]) -> None:
    """A fault in an identity has its place, and leads to no further fault."""
    reading = _from(identity=[identity])
    assert "identity 1" in only_fault(reading).origin
    assert () == reading.settings.identities


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"password": ""}, ""),
        ({"password": " x "}, " x "),
        ({"password": Secret("x")}, "x"),
        ({"password_env": "PW"}, "from variable"),
        ({"password_env": "EMPTY"}, ""),
    ],
)
def test_passwords(fields: dict[str, object], expected: str | None) -> None:
    """A password stands in the file or in a variable, and may be empty."""
    assert [("a.p12", expected)] == names_and_passwords(sound(_identity(**fields)))


@pytest.mark.parametrize(
    ("content", "expected"), [("pw\n", "pw"), ("pw\n\n", "pw\n"), (" pw", " pw"), ("", "")]
)
def test_a_password_file(tmp_path: Path, content: str, expected: str) -> None:
    """A password file counts whole but for one newline, and is relative to the settings file."""
    (tmp_path / "pw").write_text(content)
    text = '[[identity]]\npkcs12 = "/a"\npassword_file = "pw"'
    assert [("/a", expected)] == names_and_passwords(sound(read_file(tmp_path, "x.toml", text)))


def test_password_env_reads_the_given_environment(tmp_path: Path) -> None:
    """``password_env`` names a variable of the environment that is read."""
    text = '[[identity]]\npkcs12 = "/a"\npassword_env = "PW"'
    assert [("/a", "x")] == names_and_passwords(sound(read_file(tmp_path, "x.toml", text, PW="x")))
    assert "PW, which is not set" in only_fault(read_file(tmp_path, "x.toml", text)).problem


def test_arguments_use_the_process_environment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that code passes may name a variable of the process."""
    monkeypatch.setenv("SOME_PW", "x")
    reading = settings_from({"identity": {"pkcs12": "a", "password_env": "SOME_PW"}})
    assert [("a", "x")] == names_and_passwords(sound(reading))


def test_arguments_may_hold_the_bytes() -> None:
    """Code may pass the PKCS12 itself; the identity is named by its place then."""
    reading = sound(_from(identity=[{"pkcs12": b"material", "password": "x"}]))
    material = reading.settings.identities[0].material
    assert isinstance(material, Pkcs12Inline)
    assert b"material" == material.content.reveal()
    assert [("identity 1", "x")] == names_and_passwords(reading)


def test_arguments_are_not_changed() -> None:
    """The caller's mapping is read, whatever its type, and stays as it is."""
    source = {"identity": ({"pkcs12": "a", "password": "x"},)}
    sound(settings_from(MappingProxyType(source)))
    assert {"identity": ({"pkcs12": "a", "password": "x"},)} == source


def test_arguments_must_be_a_mapping() -> None:
    """Something else is a fault, not an exception."""
    wrong: Any = ["x"]
    assert "not a mapping" in only_fault(settings_from(wrong)).problem


def test_nothing_gives_nothing() -> None:
    """An empty mapping is an empty reading."""
    assert Reading() == _from()


@pytest.mark.parametrize(
    ("source", "key", "remedy"),
    [
        ({"unlisted_host": "none"}, "unlisted_host", "`unlisted_hosts`"),
        ({"Identity": []}, "Identity", "`identity`"),
        ({"zzz": 1}, "zzz", "`ca`"),
        ({7: 1}, "7", "`ca`"),
        ({"identity": [{"pkcs12": "a", "host": ["h"]}]}, "host", "`hosts`"),
        ({"identity": [{"pkcs12": "a", "pasword": "hunter2"}]}, "pasword", "`password`"),
        ({"no_certificate": {"host": ["h"]}}, "host", "`hosts`"),
    ],
)
def test_unknown_keys_are_faults(source: dict[str, Any], key: str, remedy: str) -> None:
    """A key that nobody reads is refused everywhere, with the nearest known one."""
    fault = only_fault(settings_from(source))
    assert f"`{key}`" in fault.problem
    assert remedy in fault.remedy
    assert "hunter2" not in str(fault)


@pytest.mark.parametrize(
    "source",
    [
        {"identity": "a"},
        {"identity": [["a"]]},
        {"no_certificate": ["h"]},
        {"services": ["h"]},
        {"services": {"A": {"b": "c"}}},
        {"services": {"A": ["b c"]}},
        {"ca": 7},
        {"ca": {"a": "b"}},
        {"unlisted_hosts": True},
        {"unlisted_hosts": "no"},
        {"unlisted_hosts": ""},
        {"unnamed_hosts": "no"},
        {"expired_identities": "no"},
        {"trust_cache": "no"},
        {"trust_cache": ""},
        {"trust_cache": 0},
        {"trust_cache": []},
    ],
)
def test_another_shape_is_a_fault(source: dict[str, Any]) -> None:
    """Each value has its type, and no other is guessed at."""
    only_fault(settings_from(source))


def test_a_text_alone_is_a_list_of_one() -> None:
    """``hosts = "h"`` says what ``hosts = ["h"]`` says, and so does one table alone."""
    reading = sound(_from(identity={"pkcs12": "a", "hosts": "h.example"}, services={"A": "i"}))
    assert [("h.example", "a")] == rules(reading)
    assert (("A", ("i",)),) == reading.settings.services


def test_names_are_unique() -> None:
    """Two identities of one name are a fault that names both."""
    fault = only_fault(_from(identity=[{"pkcs12": "a", "name": "n"}, {"pkcs12": "b", "name": "n"}]))
    assert "identity 2 (n)" in fault.origin
    assert "identity 1 (n)" in fault.problem
    only_fault(_from(identity=[{"pkcs12": "a"}, {"pkcs12": "a"}]))


def test_a_scheme_in_hosts_is_a_warning() -> None:
    """In the native file, too, ``https://`` is dropped and told."""
    reading = _identity(hosts=["https://h.example"])
    assert "read as `h.example`" in only_warning(reading).problem
    assert [("h.example", "a.p12")] == rules(reading)


@pytest.mark.parametrize(
    "number",
    [10**5000, -(10**5000), True, float("nan")],
    ids=["many digits", "many digits below 0", "true", "not a number"],
)
def test_no_interval_at_all_is_a_fault(number: float) -> None:
    """What is no number of seconds is told, however many digits it has."""
    assert "has a value that is not known" == only_fault(_from(watch=number)).problem
