"""The self-hosted YAML file with ``mxruntime:``."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxcert_runtime.identity.sources import AuthorityFile
from tests.settings.readings import names_and_passwords, only_fault, read_file, rules, sound

LISTS = """
m2ee:
  app_name: x
  since: 2001-99-99
mxruntime:
  ClientCertificates: [/c/a.p12, b.p12]
  ClientCertificatePasswords:
    - 0123
    - "no,comma"
  ClientCertificateUsages:
    h.example: /c/a.p12
    A.B: b.p12
    n.example: ""
  CACertificates: [ca.pem]
  Other: yes
"""


def test_lists_and_mapping_are_yaml(tmp_path: Path) -> None:
    """Real lists and a real mapping are read; other keys are for others."""
    reading = sound(read_file(tmp_path, "m2ee.yaml", LISTS))
    second = str(tmp_path / "b.p12")
    assert [("/c/a.p12", "0123"), (second, "no,comma")] == names_and_passwords(reading)
    assert {("h.example", "/c/a.p12"), ("A.B", second), ("n.example", None)} == set(rules(reading))
    (authority,) = reading.settings.authorities
    assert isinstance(authority, AuthorityFile)
    assert str(tmp_path / "ca.pem") == authority.path


def test_the_environment_format_is_accepted(tmp_path: Path) -> None:
    """Strings as the environment has them are read too."""
    text = """
mxruntime:
  ClientCertificates: D:\\App\\a.pfx, b.p12
  ClientCertificatePasswords: ","
  ClientCertificateUsages: '{"h.example": "D:\\\\App\\\\a.pfx"}'
"""
    reading = sound(read_file(tmp_path, "m2ee.yml", text))
    assert [(r"D:\App\a.pfx", ""), (str(tmp_path / "b.p12"), "")] == names_and_passwords(reading)
    assert [("h.example", r"D:\App\a.pfx")] == rules(reading)


def test_the_older_name_of_usages(tmp_path: Path) -> None:
    """WebServiceClientCertificates is what older files call the usages; both must agree."""
    older = (
        "mxruntime:\n  ClientCertificates: [a]\n  WebServiceClientCertificates: {h.example: a}\n"
    )
    assert [("h.example", str(tmp_path / "a"))] == rules(
        sound(read_file(tmp_path, "m.yaml", older))
    )
    sound(read_file(tmp_path, "m.yaml", older + "  ClientCertificateUsages: {h.example: a}\n"))
    both = read_file(tmp_path, "m.yaml", older + '  ClientCertificateUsages: {h.example: ""}\n')
    assert "WebServiceClientCertificates" in str(only_fault(both))


@pytest.mark.parametrize(
    "text",
    [
        "mxruntime: text",
        "mxruntime: {ClientCertificates: {a: b}}",
        "mxruntime: {ClientCertificates: [[a]]}",
        "mxruntime: {ClientCertificates: [a], ClientCertificatePasswords: [a, b]}",
        "mxruntime: {ClientCertificateUsages: [a]}",
        "mxruntime: {}\nidentity: []",
    ],
)
def test_another_shape_is_a_fault(tmp_path: Path, text: str) -> None:
    """What is not of the family's shape, or mixed with the native one, is refused."""
    only_fault(read_file(tmp_path, "m.yaml", text))


def test_an_empty_mapping_gives_nothing(tmp_path: Path) -> None:
    """A file without settings of ours is no fault."""
    assert not sound(read_file(tmp_path, "m.yaml", "mxruntime:\n")).settings


def test_a_repeated_setting_in_json_is_a_fault(tmp_path: Path) -> None:
    """As JSON, too, a setting stands there once."""
    text = '{"mxruntime": {"ClientCertificates": "a", "ClientCertificates": "b"}}'
    assert "twice" in only_fault(read_file(tmp_path, "m.json", text)).problem
