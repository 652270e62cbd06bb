"""Activation with faults: all of them are told, and nothing of it is in force."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate, identities, is_active
from mxcert_runtime.decisions import in_force
from tests.start.activation.state import IMPORT, Peer, attributes, settings_of
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf
from tests.support.subprocesses import run_client


@pytest.fixture
def faulty(client_files: ClientFiles, alpha: Leaf, beta: Leaf, gamma: Leaf) -> dict[str, Any]:
    """A wrong password, a missing file and a conflict."""
    first = client_files.identity("first", alpha, hosts=["a.example"])
    second = client_files.identity("second", beta, hosts=["b.example"])
    third = client_files.identity("third", gamma, hosts=["B.example."])
    missing = str(client_files.folder / "missing.p12")
    return settings_of(
        {**first, "password": "wrong"},
        second,
        third,
        {"name": "fourth", "pkcs12": missing, "password": ""},
    )


def test_every_fault_is_told(faulty: dict[str, Any]) -> None:
    """Faults of reading and of loading come together, each with origin, problem and remedy."""
    with pytest.raises(SettingsError) as caught:
        activate(faulty)
    text = str(caught.value)
    assert 3 == len(caught.value.faults)
    assert all(word in text for word in ("password", "leaf-0.p12", "missing.p12", "B.example"))
    assert all(word in text for word in ("first", "third", "fourth"))
    assert all(each.origin and each.problem and each.remedy for each in caught.value.faults)
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


def test_nothing_is_hooked_with_faults(faulty: dict[str, Any]) -> None:
    """Settings with faults change nothing at all."""
    before = attributes()
    with pytest.raises(SettingsError):
        activate(faulty)
    assert (before, False, ()) == (attributes(), is_active(), identities())


def test_faults_leave_the_first_settings_in_force(
    peer: Peer, alpha: Leaf, alpha_settings: Any, faulty: dict[str, Any]
) -> None:
    """A second activation that fails leaves the first as it was."""
    activate(alpha_settings)
    hooked, generation = attributes(), in_force.current
    with pytest.raises(SettingsError):
        activate(faulty)
    assert hooked == attributes()
    assert generation is in_force.current
    assert alpha.fingerprint == peer.sees()


def test_no_fault_of_a_fault(client_files: ClientFiles, alpha: Leaf) -> None:
    """A wrong password is one fault, even where hosts belong to a service of that identity."""
    entry = client_files.identity("alpha", alpha, services=["Billing.Orders"])
    services = {"Billing.Orders": ["orders.example"]}
    activate(settings_of(entry, services=services))
    with pytest.raises(SettingsError) as caught:
        activate(settings_of({**entry, "password": "wrong"}, services=services))
    assert 1 == len(caught.value.faults)


def test_a_service_without_an_identity_is_a_fault(client_files: ClientFiles, alpha: Leaf) -> None:
    """Hosts of a service that no identity names would be without a rule."""
    entry = client_files.identity("alpha", alpha, services=["Billing.Orders"])
    with pytest.raises(SettingsError, match=r"Billing\.Other"):
        activate(settings_of(entry, services={"Billing.Other": ["orders.example"]}))


def test_a_hook_that_fails_leaves_nothing(
    alpha_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a patch cannot be put in place, those before it are taken back."""
    before = attributes()
    original = http.client.HTTPSConnection.connect
    monkeypatch.delattr(http.client.HTTPSConnection, "connect")
    monkeypatch.delattr(http.client.HTTPConnection, "connect")
    with pytest.raises(Exception, match="connect"):
        activate(alpha_settings)
    assert (False, ()) == (is_active(), identities())
    monkeypatch.undo()
    assert original is http.client.HTTPSConnection.connect
    assert before == attributes()


def test_the_import_raises_with_faults(client_files: ClientFiles, alpha: Leaf) -> None:
    """With settings that cannot be used the import raises, names them all, and hooks nothing."""
    variables = client_files.variables(alpha)
    variables["ClientCertificates"] += ", /nonexistent.p12"
    variables["ClientCertificatePasswords"] = "wrong, wrong"
    variables["CACertificates"] = "/nonexistent.pem"
    name, text, untouched, imported = run_client(IMPORT, environment=variables).json()
    assert ("SettingsError", True, False) == (name, untouched, imported)
    for word in ("leaf-0.p12", "/nonexistent.p12", "/nonexistent.pem", "3 faults"):
        assert word in text


def test_a_broken_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is named and cannot be read is a fault, not a start without settings."""
    monkeypatch.setenv("MXCERT_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(SettingsError, match=r"missing\.toml"):
        activate()
    assert not is_active()
