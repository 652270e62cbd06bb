"""Which variables hold a setting, which of them wins, and when two of them disagree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mxcert_runtime.settings.model import ExpiredIdentities, Reading, UnlistedHosts, UnnamedHosts
from tests.settings.readings import (
    names_and_passwords,
    only_fault,
    only_warning,
    read,
    rules,
    sound,
)

SPELLINGS = ["ClientCertificates", "MXRUNTIME_ClientCertificates", "MXCERT_CLIENT_CERTIFICATES"]


def _custom(**settings: object) -> dict[str, str]:
    return {"CUSTOM_RUNTIME_SETTINGS": json.dumps(settings)}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_counts(name: str) -> None:
    """A setting of the family has three names of its own."""
    assert [("a", None), ("b", None)] == names_and_passwords(sound(read({name: "a,b"})))


@pytest.mark.parametrize(
    ("bare", "ours", "value"),
    [
        ("ClientCertificateUsages", "MXCERT_CLIENT_CERTIFICATE_USAGES", '{"h.example": ""}'),
        ("NoClientCertificateUsages", "MXCERT_NO_CLIENT_CERTIFICATE_USAGES", "h.example"),
    ],
)
def test_rules_in_every_spelling(bare: str, ours: str, value: str) -> None:
    """Rules come under all names alike."""
    for name in (bare, "MXRUNTIME_" + bare, ours):
        assert [("h.example", None)] == rules(sound(read({name: value})))


@pytest.mark.parametrize("value", ["a, b", ["a", "b"], '["a", "b"]'])
def test_custom_runtime_settings_hold_text_or_json(value: object) -> None:
    """In CUSTOM_RUNTIME_SETTINGS a list is text or a list."""
    reading = sound(read(_custom(ClientCertificates=value, ClientCertificatePasswords=["x", "y"])))
    assert [("a", "x"), ("b", "y")] == names_and_passwords(reading)


@pytest.mark.parametrize("value", [{"h.example": "a"}, '{"h.example": "a"}'])
def test_custom_usages_are_text_or_an_object(value: object) -> None:
    """In CUSTOM_RUNTIME_SETTINGS usages are text or an object."""
    reading = sound(read(_custom(ClientCertificates="a", ClientCertificateUsages=value)))
    assert [("h.example", "a")] == rules(reading)


def test_an_origin_in_custom_runtime_settings() -> None:
    """The origin names the variable and the setting in it."""
    identity = sound(read(_custom(ClientCertificates="a"))).settings.identities[0]
    expected = "environment variable CUSTOM_RUNTIME_SETTINGS, ClientCertificates, entry 1"
    assert expected == str(identity.origin)


@pytest.mark.parametrize("value", [7, {"a": "b"}, True, [1]])
def test_a_list_of_another_shape_is_a_fault(value: object) -> None:
    """A setting that is no list is refused."""
    only_fault(read(_custom(ClientCertificates=value)))


def test_null_in_custom_runtime_settings_is_not_set() -> None:
    """A setting that is null is as if it were not there."""
    assert Reading() == read(_custom(ClientCertificates=None))


def test_broken_custom_runtime_settings_are_a_fault_if_ours() -> None:
    """Broken JSON that mentions our settings is a fault; what is for others is not judged."""
    broken = read({"CUSTOM_RUNTIME_SETTINGS": '{"ClientCertificates": "a"'})
    assert "not valid JSON (line 1, column" in only_fault(broken).problem
    assert Reading() == read({"CUSTOM_RUNTIME_SETTINGS": '{"Other": '})
    assert Reading() == read(_custom(Other={"deep": 1}))


def test_a_repeated_key_in_custom_runtime_settings_is_a_fault() -> None:
    """Our settings stand there once; others may do as they like."""
    twice = '{"ClientCertificates": "a", "ClientCertificates": "b", "X": 1, "X": 2}'
    assert (
        "`ClientCertificates` twice" in only_fault(read({"CUSTOM_RUNTIME_SETTINGS": twice})).problem
    )
    sound(read({"CUSTOM_RUNTIME_SETTINGS": '{"ClientCertificates": "a", "X": 1, "X": 2}'}))


def test_mxruntime_wins_over_custom_runtime_settings() -> None:
    """``MXRUNTIME_`` wins, and nothing is said."""
    environ = {**_custom(ClientCertificates="a"), "MXRUNTIME_ClientCertificates": "b"}
    assert [("b", None)] == names_and_passwords(sound(read(environ)))


@pytest.mark.parametrize("first", [*SPELLINGS[:2], "CUSTOM_RUNTIME_SETTINGS"])
def test_two_names_with_different_values_are_a_fault(first: str) -> None:
    """Any other two names must agree; the fault names both."""
    environ = (
        _custom(ClientCertificates="a")
        if first.startswith("C") and first.isupper()
        else {first: "a"}
    )
    fault = only_fault(read({**environ, "MXCERT_CLIENT_CERTIFICATES": "b"}))
    assert "environment variable MXCERT_CLIENT_CERTIFICATES" == fault.origin
    assert first in fault.problem
    same = read({**environ, "MXCERT_CLIENT_CERTIFICATES": '["a"]'})
    assert [("a", None)] == names_and_passwords(sound(same))


def test_passwords_under_two_names_must_agree() -> None:
    """Passwords are compared as secrets, and disagreement is told without them."""
    environ = {"ClientCertificates": "a", "ClientCertificatePasswords": "hunter2"}
    sound(read({**environ, "MXRUNTIME_ClientCertificatePasswords": "hunter2"}))
    fault = only_fault(read({**environ, "MXRUNTIME_ClientCertificatePasswords": "hunter3"}))
    assert "hunter" not in str(fault)


def test_an_empty_variable_is_not_set() -> None:
    """Containers pass on variables that are empty because nobody set them."""
    assert Reading() == read(dict.fromkeys([*SPELLINGS, "MXCERT_CONFIG", "MXCERT_SERVICES"], ""))


def test_a_value_from_a_file(tmp_path: Path) -> None:
    """A ``_FILE`` name gives the value in that file without one newline at its end."""
    for text, expected in [("x y\n", "x y"), ("x y\r\n", "x y"), ("\ufeffx y", "x y")]:
        (tmp_path / "pw").write_bytes(text.encode())
        environ = {
            "MXCERT_CLIENT_CERTIFICATES": "a",
            "MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE": str(tmp_path / "pw"),
        }
        assert [("a", expected)] == names_and_passwords(sound(read(environ)))


def test_a_json_value_from_a_file_drops_one_newline_only(tmp_path: Path) -> None:
    """A password that ends in a newline survives in JSON."""
    (tmp_path / "pw").write_text('["x\\n"]\n')
    environ = {
        "ClientCertificates": "a",
        "MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE": str(tmp_path / "pw"),
    }
    assert [("a", "x\n")] == names_and_passwords(sound(read(environ)))


def test_an_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    """A file that is missing, a folder, not text or no path at all is a fault at its variable."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfd")
    name = "MXCERT_CLIENT_CERTIFICATE_PASSWORDS_FILE"
    for path in (tmp_path / "none", tmp_path, tmp_path / "binary", "a\0b"):
        reading = read({"ClientCertificates": "a", name: str(path)})
        assert f"environment variable {name}" == only_fault(reading).origin
        assert () == reading.settings.identities


def test_a_file_and_a_value_must_agree(tmp_path: Path) -> None:
    """A value and a ``_FILE`` are two names for one setting."""
    (tmp_path / "v").write_text("none\n")
    environ = {"MXCERT_UNLISTED_HOSTS_FILE": str(tmp_path / "v")}
    expected = UnlistedHosts.NONE
    assert expected == sound(read(environ)).settings.unlisted_hosts
    assert (
        expected
        == sound(read({**environ, "MXCERT_UNLISTED_HOSTS": "none"})).settings.unlisted_hosts
    )
    fault = only_fault(read({**environ, "MXCERT_UNLISTED_HOSTS": "offer"}))
    assert "MXCERT_UNLISTED_HOSTS," in fault.problem


@pytest.mark.parametrize(("text", "expected"), [("offer", "offer"), (" NONE ", "none")])
def test_unlisted_hosts(text: str, expected: str) -> None:
    """``offer`` and ``none`` in whatever case; anything else is a fault with both words."""
    settings = sound(read({"MXCERT_UNLISTED_HOSTS": text})).settings
    assert UnlistedHosts(expected) == settings.unlisted_hosts
    assert "`offer` or `none`" in only_fault(read({"MXCERT_UNLISTED_HOSTS": "no"})).remedy


@pytest.mark.parametrize(("text", "expected"), [("offer", "offer"), (" NONE ", "none")])
def test_unnamed_hosts(text: str, expected: str) -> None:
    """``none``, the default, and ``offer``; anything else is a fault with both words."""
    settings = sound(read({"MXCERT_UNNAMED_HOSTS": text})).settings
    assert UnnamedHosts(expected) == settings.unnamed_hosts
    assert UnnamedHosts.NONE == sound(read({})).settings.unnamed_hosts
    assert "`none` or `offer`" in only_fault(read({"MXCERT_UNNAMED_HOSTS": "no"})).remedy


def test_expired_identities() -> None:
    """``warn`` and ``refuse``; anything else is a fault."""
    settings = sound(read({"MXCERT_EXPIRED_IDENTITIES": "refuse"})).settings
    assert ExpiredIdentities.REFUSE == settings.expired_identities
    assert "`warn` or `refuse`" in only_fault(read({"MXCERT_EXPIRED_IDENTITIES": "x"})).remedy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", True),
        ("1", True),
        ("true", True),
        ("off", False),
        ("0", False),
        (" FALSE ", False),
        ("", True),
    ],
)
def test_trust_cache(text: str, expected: bool, tmp_path: Path) -> None:
    """On and off in six spellings, in whatever case, and on where nobody says; also by a file."""
    (tmp_path / "v").write_text(f"{text}\n")
    assert expected is sound(read({"MXCERT_TRUST_CACHE": text})).settings.trust_cache
    if text:
        by_file = read({"MXCERT_TRUST_CACHE_FILE": str(tmp_path / "v")})
        assert expected is sound(by_file).settings.trust_cache


@pytest.mark.parametrize("text", ["no", "none", "2", "on off"])
def test_trust_cache_of_another_value_is_a_fault(text: str) -> None:
    """Anything else is a fault that lists what can be written."""
    fault = only_fault(read({"MXCERT_TRUST_CACHE": text}))
    assert "environment variable MXCERT_TRUST_CACHE" == fault.origin
    assert "`on`, `off`, `1`, `0`, `true`, `false`" in fault.remedy


@pytest.mark.parametrize("text", ["on", "off"])
def test_trust_cache_alone_is_no_settings(text: str) -> None:
    """A switch by itself gives nothing to put in force."""
    assert not sound(read({"MXCERT_TRUST_CACHE": text})).settings


def test_services_of_the_environment() -> None:
    """MXCERT_SERVICES maps a service to a host or a list of hosts."""
    value = '{"A.B": "h.example", "C": ["i.example", "j.example:8443"]}'
    expected = (("A.B", ("h.example",)), ("C", ("i.example", "j.example:8443")))
    assert expected == sound(read({"MXCERT_SERVICES": value})).settings.services


@pytest.mark.parametrize(
    "value", ["[]", "{", '{"A": 1}', '{"A": ["a b"]}', '{"A": "h", "A": "i"}', '{"": "h"}']
)
def test_services_of_another_shape_are_a_fault(value: str) -> None:
    """What is no service with hosts is refused."""
    only_fault(read({"MXCERT_SERVICES": value}))


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("MXCERT_CLIENT_CERTIFICATE", "Write MXCERT_CLIENT_CERTIFICATES"),
        ("MXCERT_CONFIGS", "Write MXCERT_CONFIG"),
        ("MXCERT_ZZZZZZ", "Drop it"),
    ],
)
def test_an_unknown_name_of_ours_is_a_warning(name: str, remedy: str) -> None:
    """A typing error in a name is told, with the nearest name."""
    warning = only_warning(read({name: "x"}))
    assert f"environment variable {name}" == warning.origin
    assert warning.remedy.startswith(remedy)


@pytest.mark.parametrize(
    "name",
    [
        "MXCERT_AUTOSTART",
    ],
)
def test_names_of_other_parts_are_known(name: str) -> None:
    """What other parts of the product use is no typing error."""
    assert Reading() == read({name: "x"})


def test_disabled_means_no_settings() -> None:
    """``MXCERT_DISABLE=1`` counts as no settings; another value is told and changes nothing."""
    environ = {"ClientCertificates": "a", "MXCERT_UNLISTED_HOSTS": "wrong"}
    assert Reading() == read({**environ, "MXCERT_DISABLE": "1"})
    only_fault(read({**environ, "MXCERT_DISABLE": "0"}))
    assert "neither 1 nor 0" in only_warning(read({"MXCERT_DISABLE": "yes"})).problem


def test_all_faults_are_told_together() -> None:
    """One reading tells every fault."""
    environ = {
        "MXCERT_UNLISTED_HOSTS": "x",
        "ClientCertificates": "a,b",
        "ClientCertificatePasswords": "x",
        "NoClientCertificateUsages": "a b",
        "CERTIFICATE_AUTHORITIES": "?",
        "MXCERT_CONFIG": "/nonexistent/x.toml",
    }
    assert 5 == len(read(environ).faults)


def test_an_empty_file_names_no_module(tmp_path: Path) -> None:
    """A file that says nothing is a fault, as the key without a value is."""
    (tmp_path / "module").write_text("\n")
    fault = only_fault(read({"MXCERT_PKCS11_MODULE_FILE": str(tmp_path / "module")}))
    assert ("environment variable MXCERT_PKCS11_MODULE_FILE", "is empty") == (
        fault.origin,
        fault.problem,
    )
