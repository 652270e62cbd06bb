"""Rules by service that may never apply are told, where nothing else names the service."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest

from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.diagnosis.checks.diagnostic import Diagnostic
from mxcert_runtime.diagnosis.checks.services import check_services
from mxcert_runtime.settings.loading import read_settings, settings_from
from tests.support.client_files import ClientFiles
from tests.support.pki import Leaf


@pytest.fixture
def without_soap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither zeep nor suds can be imported."""
    for module in ("zeep", "suds"):
        monkeypatch.setitem(sys.modules, module, None)


def _about_services(source: dict[str, Any]) -> list[Diagnostic]:
    return list(check_services(build_generation(settings_from(source))))


@pytest.mark.usefixtures("without_soap")
@pytest.mark.parametrize(
    "services", [["Billing.Invoices"], ["A.B", "My Service"], [f"A.B{n}" for n in range(7)]]
)
def test_services_that_nothing_maps(
    client_files: ClientFiles, alpha: Leaf, services: list[str]
) -> None:
    """Rules by service without hosts are told, all of one place together."""
    (diagnostic,) = _about_services(
        {"identity": [client_files.identity("one", alpha, services=services)]}
    )
    assert ("service-not-mapped", False) == (diagnostic.code.value, diagnostic.is_error)
    assert "settings argument, identity 1 (one), services" == diagnostic.origin
    assert f"`{services[0]}`" in diagnostic.problem
    assert "does not name" in diagnostic.problem
    assert "mxcert_runtime.service(...)" in diagnostic.problem
    assert ("and 2 more" in diagnostic.problem) == (len(services) > 5)
    assert f'"{services[0]}": ["host"]' in diagnostic.remedy


@pytest.mark.usefixtures("without_soap")
@pytest.mark.parametrize("hosts", [["invoices.example"], []])
def test_services_that_have_hosts(client_files: ClientFiles, alpha: Leaf, hosts: list[str]) -> None:
    """The twin: with hosts the rule applies, and with none somebody says that the code names it."""
    identity = client_files.identity("one", alpha, services=["Billing.Invoices"])
    assert [] == _about_services({"identity": [identity], "services": {"Billing.Invoices": hosts}})


@pytest.mark.usefixtures("without_soap")
def test_a_service_that_must_get_no_certificate(client_files: ClientFiles, alpha: Leaf) -> None:
    """The rule *none* of a service is told as well: the default would be presented."""
    identity = client_files.identity("one", alpha)
    source = {"identity": [identity], "no_certificate": {"services": ["A.B"]}}
    assert ["settings argument, no_certificate, services"] == [
        each.origin for each in _about_services(source)
    ]


SOAP_LIBRARIES = ("zeep", "suds")


@pytest.mark.parametrize("library", SOAP_LIBRARIES)
def test_a_library_that_names_services(
    client_files: ClientFiles, alpha: Leaf, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: one of them is enough, and is not imported to be found."""
    for module in SOAP_LIBRARIES:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, library)
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"there is no {library}")
    identity = client_files.identity("one", alpha, services=["A.B"])
    assert [] == _about_services({"identity": [identity]})
    assert library not in sys.modules


@pytest.mark.usefixtures("without_soap")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Module.WebService1", True),
        ("Billing.Invoices", True),
        ("WebService", True),
        ("MyModule.ABC", True),
        (f"module.{'x' * 64}", True),
        ("www.server-to-contact.com", False),
        ("Www.Example.com", False),
        ("WWW.EXAMPLE.COM", False),
        ("localhost", False),
        ("Api.Example.Test:443", False),
        ("*.Example.Test", False),
        ("192.0.2.7", False),
        ("B\u00fccher.example", False),
    ],
)
def test_names_that_can_be_either(
    client_files: ClientFiles, alpha: Leaf, name: str, expected: bool
) -> None:
    """Where hosts and services share one namespace, how a name is written tells them apart."""
    variables = client_files.variables(alpha, usages={name: None})
    generation = build_generation(read_settings(variables, default_file="/nonexistent"))
    assert expected == bool(list(check_services(generation)))
