"""A key that is accepted is read: each has an effect, and the lists of keys say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.settings.draft import Place
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.native import KEYS, read
from mxcert_runtime.settings.table import Table
from mxcert_runtime.settings.values import sealed
from tests.settings.readings import only_fault, read_file

SECRET_FILE = __file__

#: a value of each key at the top that is not its default
TOP: dict[str, Any] = {
    "unlisted_hosts": "none",
    "unnamed_hosts": "offer",
    "require_verified_server": "all",
    "expired_identities": "refuse",
    "trust_cache": False,
    "watch": "off",
    "sighup": True,
    "inherit": True,
    "pkcs11_module": "/usr/lib/module.so",
    "ca": ["a.pem"],
    "identity": [{"pkcs12": "a.p12"}],
    "no_certificate": {"hosts": ["a.test"]},
    "services": {"A.B": ["a.test"]},
    "service_prefixes": ["A"],
}
#: the same of an identity, beside what it needs
IDENTITY: dict[str, tuple[dict[str, Any], Any]] = {
    "name": ({"pkcs12": "a.p12"}, "x"),
    "pkcs12": ({}, "a.p12"),
    "certificate": ({}, "a.pem"),
    "key": ({"certificate": "a.pem"}, "a.key"),
    "source": ({}, {"kind": "command", "command": ["a"]}),
    "password": ({"pkcs12": "a.p12"}, "x"),
    "password_file": ({"pkcs12": "a.p12"}, SECRET_FILE),
    "password_env": ({"pkcs12": "a.p12"}, "SOME_PASSWORD"),
    "pin_file": ({"key": "pkcs11:token=a"}, SECRET_FILE),
    "pin_env": ({"key": "pkcs11:token=a"}, "SOME_PASSWORD"),
    "hosts": ({"pkcs12": "a.p12"}, ["a.test"]),
    "services": ({"pkcs12": "a.p12"}, ["A.B"]),
    "ca": ({"pkcs12": "a.p12"}, ["a.pem"]),
}


def _settings(source: dict[str, Any]) -> Any:
    return settings_from(source, environ={"SOME_PASSWORD": "x"}).settings


class _Asked:
    """Which keys the readers of tables ask for, by the place of the table."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.by_place: dict[str, set[str]] = {}
        original = Table.refuse_unread

        def refuse_unread(table: Table) -> None:
            self.by_place.setdefault(table.origin.place, set()).update(table.asked)
            original(table)

        monkeypatch.setattr(Table, "refuse_unread", refuse_unread)


@pytest.mark.parametrize("source", [{}, {"identity": [{}]}, {"identity": [{"pkcs12": "a"}]}])
def test_the_rows_are_all_that_is_read(
    monkeypatch: pytest.MonkeyPatch, source: dict[str, Any]
) -> None:
    """A reader asks for the keys of these tables and for no others, whatever stands there."""
    asked = _Asked(monkeypatch)
    read(sealed(source), Place(Origin("x")))  # type: ignore[arg-type]
    assert set(TOP) == set(KEYS) == asked.by_place[""]
    assert [set(IDENTITY)] * ("identity" in source) == [
        keys for place, keys in asked.by_place.items() if place
    ]


@pytest.mark.parametrize("key", TOP)
def test_each_key_at_the_top_has_an_effect(key: str) -> None:
    """With the key the settings are others than without."""
    assert _settings({}) != _settings({key: TOP[key]})


@pytest.mark.parametrize("key", IDENTITY)
def test_each_key_of_an_identity_has_an_effect(key: str) -> None:
    """With the key the settings are others than without."""
    others, value = IDENTITY[key]
    without = _settings({"identity": [others]})
    assert without != _settings({"identity": [{**others, key: value}]})


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("x.toml", '[[identity]]\npkcs12 = "a"\nservice_prefixes = ["A"]', "service_prefixes"),
        ("x.toml", '[no_certificate]\nhosts = []\nca = ["a"]', "ca"),
        ("x.yaml", "identity: [{pkcs12: a, unlisted_hosts: none}]", "unlisted_hosts"),
        ("x.yaml", "runtime: {clientCertificates: [{key: MA==, pin_to: [a]}]}", "pin_to"),
        ("x.json", '{"reload": 60}', "reload"),
    ],
)
def test_a_key_that_is_read_elsewhere(tmp_path: Path, name: str, text: str, key: str) -> None:
    """A key that only another table has is refused here: it would change nothing."""
    assert f"has the unknown key `{key}`" in only_fault(read_file(tmp_path, name, text)).problem


def test_what_others_may_write(tmp_path: Path) -> None:
    """The twin: in the formats of others their own keys are not ours to judge."""
    foreign = "m2ee: {a: 1}\nmxruntime: {DatabaseHost: x, ClientCertificates: [a.p12]}\n"
    assert () == read_file(tmp_path, "m2ee.yaml", foreign).faults
    assert () == read_file(tmp_path, "m2ee.yaml", foreign).warnings


def test_what_stands_in_the_place_of_a_key() -> None:
    """A certificate with its key, written where the key of its value belongs, is not shown."""
    content = "MIIDzwIBAzCC" + "QUJD" * 500
    reading = settings_from({"identity": [{"pkcs12": "a.p12", content: "pkcs12"}]})
    (fault,) = reading.faults
    assert f"`{content[:40]}...`" in fault.problem
    assert content[40:50] not in str(fault).replace(content[:40], "")
