"""What can be neither a host nor a service is a fault with its remedy, wherever it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.model import Reading
from tests.settings.deployments import CONTENT
from tests.settings.readings import only_fault, read, sound

Place = Callable[[str], Reading]


def _native(source: dict[str, Any]) -> Reading:
    return settings_from(source, environ={})


def _identity(**more: Any) -> Reading:
    return _native({"identity": [{"pkcs12": "a.p12", **more}]})


def _cloud(name: str) -> Reading:
    entry = {"pfx": CONTENT, "password": "", "pin_to": [name]}
    return read({"CLIENT_CERTIFICATES": json.dumps([entry])})


#: where the two kinds of names share one namespace
SHARED: dict[str, Place] = {
    "ClientCertificateUsages": lambda name: read(
        {"ClientCertificateUsages": json.dumps({name: ""})}
    ),
    "NoClientCertificateUsages": lambda name: read(
        {"NoClientCertificateUsages": json.dumps([name])}
    ),
    "CUSTOM_RUNTIME_SETTINGS": lambda name: read(
        {"CUSTOM_RUNTIME_SETTINGS": json.dumps({"NoClientCertificateUsages": [name]})}
    ),
    "pin_to": _cloud,
}
#: where hosts stand alone
HOSTS: dict[str, Place] = {
    "hosts": lambda name: _identity(hosts=[name]),
    "no_certificate": lambda name: _native({"no_certificate": {"hosts": [name]}}),
    "services of a host": lambda name: _native({"services": {"A.B": [name]}}),
    "MXCERT_SERVICES": lambda name: read({"MXCERT_SERVICES": json.dumps({"A.B": name})}),
}
#: where names of services stand alone
SERVICES: dict[str, Place] = {
    "services": lambda name: _identity(services=[name]),
    "no_certificate": lambda name: _native({"no_certificate": {"services": [name]}}),
    "service of hosts": lambda name: _native({"services": {name: ["h.example"]}}),
    "MXCERT_SERVICES": lambda name: read({"MXCERT_SERVICES": json.dumps({name: ["h.example"]})}),
}

#: what neither kind of name has, by what it looks like
LISTS = ["a.test,b.test", "a.test, b.test", "a.test;b.test", "a.test|b.test", "a.test\nb.test"]
URLS = ["https://a.test/path", "ftp://a.test", "a.test?x=1", "//a.test"]
ODD = [
    *("a..test", ".a.test", "*.*.test", "a.*.test", "*a.test", "a.test*", '"a.test"', "'a.test'"),
    *("[a.test]", "{a.test}", "<a.test>", "(a.test)", "a\\test", "a\x00.test", "a\x1b[2J.test"),
    *("a\u202e.test", "a\u200b.test", "\ud800.test", "a\x85.test", "a\u2028.test"),
    *("a.test\uff0cb.test", "a.test\uff1bb.test", "a.test\u3001b.test"),
]


@pytest.mark.parametrize("text", [*LISTS, *URLS, *ODD, "a.test b.test", "a.test/x", "user@a.test"])
@pytest.mark.parametrize("place", [*SHARED, *HOSTS])
def test_no_host_and_no_service(place: str, text: str) -> None:
    """One clear fault, and no rule that would never apply."""
    reading = {**SHARED, **HOSTS}[place](text)
    fault = only_fault(reading)
    assert "identifier" in fault.problem
    assert fault.remedy
    assert str(fault).isprintable()
    assert () == reading.settings.rules


@pytest.mark.parametrize("place", SHARED)
def test_the_words_where_it_could_be_either(place: str) -> None:
    """In one namespace the fault says that the name is neither."""
    problem = only_fault(SHARED[place]("a.test;b.test")).problem
    assert "is neither a host nor a service name: it holds a semicolon" in problem


@pytest.mark.parametrize("text", [*LISTS, *URLS, *ODD])
@pytest.mark.parametrize("place", SERVICES)
def test_no_service(place: str, text: str) -> None:
    """Where services stand alone, what looks like a list, an URL or a pattern is refused."""
    fault = only_fault(SERVICES[place](text))
    assert "has the service" in fault.problem
    assert fault.remedy
    assert str(fault).isprintable()


HOST_NAMES = [
    *(
        "a.test",
        "A.Test.",
        "*.a.test",
        "a.test:443",
        "*.a.test:8443",
        "192.0.2.7",
        "[::1]:5",
        "::1",
    ),
    *("b\u00fccher.example", "xn--bcher-kva.example", "_dmarc.a_b.test", "localhost"),
]


@pytest.mark.parametrize("text", HOST_NAMES)
@pytest.mark.parametrize("place", [*SHARED, *HOSTS])
def test_hosts(place: str, text: str) -> None:
    """The twin: every form of a host has its rule."""
    assert () == {**SHARED, **HOSTS}[place](text).faults


@pytest.mark.parametrize("text", ["Module.WebService1", "My_Module.Service_2", "_a.B-c", "Service"])
@pytest.mark.parametrize("place", [*SHARED, *SERVICES])
def test_services_of_the_platform(place: str, text: str) -> None:
    """The twin: the platform's form of a service is taken everywhere."""
    assert () == {**SHARED, **SERVICES}[place](text).faults


@pytest.mark.parametrize(
    "text",
    ["My Service", "Billing#Invoices", "Billing/Invoices", "Gr\u00f6\u00dfe:1", "-odd-", "a@b"],
)
@pytest.mark.parametrize("place", SERVICES)
def test_free_names_of_services(place: str, text: str) -> None:
    """Where services stand alone, any name that code may give to a call is one."""
    assert () == SERVICES[place](text).faults


@pytest.mark.parametrize("text", ["A;B", "A B", "https://A", "A..B", "A*"])
def test_prefixes(text: str) -> None:
    """What no module is called is no prefix of a service."""
    for reading in (read({"MXCERT_SERVICE_PREFIXES": text}), _native({"service_prefixes": [text]})):
        assert "has the prefix" in only_fault(reading).problem


def test_prefixes_that_are_some() -> None:
    """The twin."""
    reading = sound(read({"MXCERT_SERVICE_PREFIXES": "Billing, My_Module"}))
    assert ("Billing", "My_Module") == reading.settings.service_prefixes


def test_thousands_of_faults() -> None:
    """All are kept as data, and the text shows fifty."""
    from mxcert_runtime.errors import SettingsError

    reading = read({"NoClientCertificateUsages": json.dumps([f"a;{n}" for n in range(3000)])})
    error = SettingsError(reading.faults)
    assert 3000 == len(error.faults)
    assert 52 == len(str(error).splitlines())
    assert "  - and 2950 more, in `faults` of this error" == str(error).splitlines()[-1]
