"""Certificates inside the settings: the cloud's JSON and the Kubernetes shape."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.identity.sources import AuthorityText, Pkcs12Inline
from mxcert_runtime.settings.model import Reading, RuleKind
from tests.settings.readings import (
    names_and_passwords,
    only_fault,
    only_warning,
    read,
    read_file,
    rules,
    sound,
)

PEM = "# a comment\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def encoded(text: str) -> str:
    """Base64 of a text."""
    return base64.b64encode(text.encode()).decode()


def _cloud(*entries: object) -> Reading:
    return read({"CLIENT_CERTIFICATES": json.dumps(entries)})


def _entry(**changes: object) -> dict[str, Any]:
    return {"pfx": encoded("material"), "password": "secret", **changes}


def test_cloud_entries_are_identities() -> None:
    """Each entry is an identity with its material in memory, named by its number."""
    reading = sound(_cloud(_entry(), _entry(password="", pin_to=["h.example", "A.B"])))
    expected = [("CLIENT_CERTIFICATES[1]", "secret"), ("CLIENT_CERTIFICATES[2]", "")]
    assert expected == names_and_passwords(reading)
    material = reading.settings.identities[0].material
    assert isinstance(material, Pkcs12Inline)
    assert b"material" == material.content.reveal()
    pinned = "CLIENT_CERTIFICATES[2]"
    assert [("h.example", pinned), ("A.B", pinned)] == rules(reading)
    assert RuleKind.HOST_OR_SERVICE is reading.settings.rules[0].kind
    where = "environment variable CLIENT_CERTIFICATES, entry 2, pin_to"
    assert where == str(reading.settings.rules[0].origin)


def test_a_comma_in_a_cloud_password_shifts_nothing() -> None:
    """Each password belongs to its entry, whatever it holds."""
    reading = sound(_cloud(_entry(password="a,b"), _entry(password="c")))
    assert ["a,b", "c"] == [password for _, password in names_and_passwords(reading)]


def test_base64_may_have_line_breaks() -> None:
    """Blanks inside base64 do not count."""
    reading = sound(_cloud(_entry(pfx=" bWF0\r\n ZXJpYWw= ")))
    assert 1 == len(reading.settings.identities)


@pytest.mark.parametrize("pfx", ["%%%", "bWF0ZXJpYWw", "bWF0-_==", "", "\u00e9", 7, None, ["x"]])
def test_material_that_is_no_base64_is_a_fault(pfx: object) -> None:
    """Base64 is taken strictly."""
    reading = _cloud(_entry(pfx=pfx))
    assert "entry 1" in only_fault(reading).origin
    assert () == reading.settings.identities


def test_a_missing_cloud_password_is_a_fault() -> None:
    """The password is required but may be empty."""
    for entry in ({"pfx": encoded("x")}, _entry(password=None)):
        fault = only_fault(_cloud(entry))
        assert "required but may be empty" in fault.problem
    assert () == _cloud({"pfx": encoded("x")}).settings.identities


def test_a_cloud_password_of_another_kind_is_a_fault() -> None:
    """A number is no password."""
    reading = _cloud(_entry(password=1234))
    assert "is a number, not text" in only_fault(reading).problem
    assert () == reading.settings.identities


def test_unknown_cloud_fields_are_a_fault() -> None:
    """A field that nobody reads is refused, with the nearest known one."""
    fault = only_fault(_cloud(_entry(pinTo=["h.example"])))
    assert "`pinTo`" in fault.problem
    assert "`pin_to`" in fault.remedy


@pytest.mark.parametrize("text", ["{}", "[1]", "[", "null"])
def test_cloud_json_of_another_shape_is_a_fault(text: str) -> None:
    """The variable holds a list of tables."""
    only_fault(read({"CLIENT_CERTIFICATES": text}))


def test_a_repeated_cloud_field_is_a_fault() -> None:
    """A field stands once in its entry."""
    text = f'[{{"pfx": "{encoded("x")}", "password": "a", "password": "b"}}]'
    assert "`password` twice" in only_fault(read({"CLIENT_CERTIFICATES": text})).problem


def test_two_entries_for_one_name_are_a_conflict() -> None:
    """When two entries pin one name, the last does not silently win."""
    fault = only_fault(_cloud(_entry(pin_to=["h.example"]), _entry(pin_to=["H.example."])))
    assert "CLIENT_CERTIFICATES, entry 2" in fault.origin
    assert "CLIENT_CERTIFICATES, entry 1" in fault.problem


@pytest.mark.parametrize(
    "environ",
    [
        {"CERTIFICATE_AUTHORITIES": PEM},
        {"CERTIFICATE_AUTHORITIES": encoded(PEM)},
        {"CERTIFICATE_AUTHORITIES_BASE64": encoded(PEM)},
        {"CERTIFICATE_AUTHORITIES": PEM, "CERTIFICATE_AUTHORITIES_BASE64": encoded(PEM)},
    ],
)
def test_inline_authorities(environ: dict[str, str]) -> None:
    """Authorities are PEM text or its base64, under two names that must agree."""
    (authority,) = sound(read(environ)).settings.authorities
    assert isinstance(authority, AuthorityText)
    assert PEM == authority.pem


@pytest.mark.parametrize(
    "environ",
    [
        {"CERTIFICATE_AUTHORITIES": "no pem"},
        {"CERTIFICATE_AUTHORITIES": encoded("no pem")},
        {"CERTIFICATE_AUTHORITIES": "-----BEGIN NOTHING-----"},
        {"CERTIFICATE_AUTHORITIES_BASE64": PEM},
        {"CERTIFICATE_AUTHORITIES_BASE64": "/w=="},
        {"CERTIFICATE_AUTHORITIES": PEM + "-----BEGIN PRIVATE KEY-----\nhunter2"},
    ],
)
def test_authorities_without_a_certificate_are_a_fault(environ: dict[str, str]) -> None:
    """What holds no certificate, or a key besides, is refused and not kept."""
    reading = read(environ)
    assert "hunter2" not in str(only_fault(reading)) + repr(reading)
    assert () == reading.settings.authorities


def test_inline_authorities_must_agree() -> None:
    """The two names with different certificates are a fault."""
    other = encoded(PEM.replace("MIIB", "MIIC"))
    environ = {"CERTIFICATE_AUTHORITIES": PEM, "CERTIFICATE_AUTHORITIES_BASE64": other}
    assert "CERTIFICATE_AUTHORITIES," in only_fault(read(environ)).problem


def _resource(*entries: object) -> str:
    return json.dumps({"apiVersion": "v1", "runtime": {"other": 1, "clientCertificates": entries}})


def _kubernetes(**changes: object) -> dict[str, object]:
    return {"key": encoded("material"), "password": encoded("secret"), **changes}


@pytest.mark.parametrize("name", ["r.json", "r.yaml"])
def test_kubernetes_entries_are_identities(tmp_path: Path, name: str) -> None:
    """A resource gives identities from base64; its other keys are not ours."""
    reading = sound(read_file(tmp_path, name, _resource(_kubernetes(pinTo=["h.example"]))))
    assert [("runtime.clientCertificates[1]", "secret")] == names_and_passwords(reading)
    assert [("h.example", "runtime.clientCertificates[1]")] == rules(reading)


def test_kubernetes_under_spec(tmp_path: Path) -> None:
    """The list may stand under ``spec``, but not twice."""
    lists = {"runtime": {"clientCertificates": [_kubernetes()]}}
    sound_reading = sound(read_file(tmp_path, "r.json", json.dumps({"kind": "X", "spec": lists})))
    assert 1 == len(sound_reading.settings.identities)
    twice = read_file(tmp_path, "r.json", json.dumps({"spec": lists, **lists}))
    assert "stands twice" in only_fault(twice).problem


def test_a_kubernetes_password_may_be_missing(tmp_path: Path) -> None:
    """Without a password there is none."""
    reading = sound(read_file(tmp_path, "r.json", _resource({"key": encoded("x")})))
    assert [("runtime.clientCertificates[1]", None)] == names_and_passwords(reading)


@pytest.mark.parametrize(
    "entry",
    [
        _kubernetes(key="%%%"),
        _kubernetes(password="%%%"),
        _kubernetes(password="/w=="),
        _kubernetes(pin_to=["h.example"]),
        _kubernetes(pinTo=["a b"]),
        _kubernetes(pinTo=[""]),
        {"password": ""},
        "text",
    ],
)
def test_a_wrong_kubernetes_entry_is_a_fault(tmp_path: Path, entry: object) -> None:
    """Each field is checked, and unknown ones are refused."""
    reading = read_file(tmp_path, "r.json", _resource(entry))
    assert "runtime.clientCertificates, entry 1" in only_fault(reading).origin


def test_a_newline_in_a_kubernetes_password_is_a_warning(tmp_path: Path) -> None:
    """``echo`` adds a newline that counts, and hardly anybody means it."""
    reading = read_file(tmp_path, "r.json", _resource(_kubernetes(password=encoded("pw\n"))))
    assert "newline" in only_warning(reading).problem


def test_a_resource_without_certificates_is_a_warning(tmp_path: Path) -> None:
    """A resource that gives nothing is told."""
    assert "not there" in only_warning(read_file(tmp_path, "r.json", '{"spec": {}}')).problem
    only_fault(read_file(tmp_path, "r.json", '{"runtime": {"clientCertificates": {}}}'))
