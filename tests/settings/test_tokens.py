"""Keys in PKCS#11 tokens, as settings name them in the file and in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.identity.tokens.material import TokenMaterial
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.settings.model import Reading
from tests.settings.readings import only_fault, read, sound

URI = "pkcs11:token=a;object=b"
PIN = "4711-hidden"


def _native(**entry: Any) -> Reading:
    return settings_from({"identity": [entry]}, environ={"THE_PIN": PIN})


def _material(reading: Reading) -> TokenMaterial:
    material = sound(reading).settings.identities[0].material
    assert isinstance(material, TokenMaterial)
    return material


def _pin(reading: Reading) -> str:
    password = sound(reading).settings.identities[0].password
    assert password is not None
    return password.reveal()


def test_the_native_file(tmp_path: Path) -> None:
    """URI, certificate and the ways of a PIN; the name of the identity is the URI."""
    path = tmp_path / "pin"
    path.write_text(PIN + "\n")
    by_file = _native(key=URI, certificate="/a.pem", pin_file=str(path))

    assert (URI, "/a.pem") == (
        str(_material(by_file).uri),
        _material(by_file).certificate_path,
    )
    assert URI == by_file.settings.identities[0].name
    ways = [
        by_file,
        _native(key=URI, pin_env="THE_PIN"),
        _native(key=f"{URI}?pin-value={PIN}"),
        _native(key=f"{URI}?pin-source=file:{path}"),
        _native(key=URI, password_env="THE_PIN"),
    ]
    assert [PIN] * len(ways) == list(map(_pin, ways))


def test_no_pin_is_shown() -> None:
    """Of a URI with its PIN nothing that is shown has it."""
    reading = _native(key=f"{URI}?pin-value={PIN}")
    assert PIN not in repr(reading)
    assert PIN not in _material(reading).shown()


def test_a_certificate_in_the_token() -> None:
    """By its own URI, or by none."""
    named = _material(_native(key=URI, certificate="pkcs11:token=a;object=c;type=cert"))
    assert "pkcs11:token=a;object=c" == str(named.certificate_uri)
    assert (None, None) == (
        _material(_native(key=URI)).certificate_path,
        _material(_native(key=URI)).certificate_uri,
    )


def test_the_module(tmp_path: Path) -> None:
    """One setting for all keys in tokens, by the file and by its variable."""
    reading = settings_from({"identity": [{"key": URI}], "pkcs11_module": "/m.so"}, environ={})
    assert "/m.so" == _material(reading).module
    by_variable = read({"ClientCertificates": URI, "MXCERT_PKCS11_MODULE": "/n.so"})
    assert "/n.so" == _material(by_variable).module


def test_the_environment() -> None:
    """A URI among the paths, with the PIN as its password; a rule names it as it is listed."""
    reading = read(
        {
            "ClientCertificates": f"/a.p12,{URI}",
            "ClientCertificatePasswords": f"x,{PIN}",
            "ClientCertificateUsages": f'{{"a.test": "{URI}"}}',
        }
    )
    settings = sound(reading).settings
    assert ["/a.p12", URI] == [each.name for each in settings.identities]
    assert PIN == (settings.identities[1].password or "").reveal()  # type: ignore[union-attr]
    assert [URI] == [each.identity for each in settings.rules]


def test_a_pin_in_a_list_of_the_environment() -> None:
    """It is no part of the name, which rules and logs have."""
    listed = f"{URI}?pin-value={PIN}"
    reading = read(
        {"ClientCertificates": listed, "ClientCertificateUsages": f'{{"a.test": "{listed}"}}'}
    )
    settings = sound(reading).settings
    assert [(URI, PIN)] == [
        (each.name, each.password.reveal() if each.password else "") for each in settings.identities
    ]
    assert [URI] == [each.identity for each in settings.rules]
    assert PIN not in repr(reading)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"key": "pkcs11:object=b"}, "does not say in which token"),
        ({"key": f"{URI}?pin-value={PIN}&x=1"}, "does not know"),
        ({"key": URI, "certificate": "pkcs11:token=a;type=private"}, "type `private`"),
        ({"key": URI, "pkcs12": "a.p12"}, "another beside it"),
        ({"key": URI, "pin_env": "THE_PIN", "password": PIN}, "in `password` and in `pin_env`"),
        ({"key": URI, "pin_env": "NO_SUCH_PIN"}, "which is not set"),
        ({"pkcs12": "a.p12", "pin_env": "THE_PIN"}, "no key in a token"),
    ],
)
def test_what_is_a_fault(entry: dict[str, Any], problem: str) -> None:
    """Each is told by itself, and without the PIN."""
    fault = only_fault(_native(**entry))
    assert problem in fault.problem
    assert PIN not in str(fault)


def test_a_path_in_a_rule_that_holds_a_pin() -> None:
    """What is not listed is told without the PIN, however much it looks like a path."""
    odd = f"{URI}?pin-value={PIN}&pin-source=/run/x.txt"
    reading = read(
        {"ClientCertificates": "/a.p12", "ClientCertificateUsages": f'{{"a.test": "{odd}"}}'}
    )
    assert reading.faults
    assert PIN not in "\n".join(map(str, reading.faults))


@pytest.mark.parametrize(
    "entry",
    [
        {"pkcs12": f"{URI}?pin-value={PIN}"},
        {"key": "/a.key", "certificate": f"{URI}?pin-value={PIN}x"[1:]},
        {"key": f" {URI}?pin-value={PIN}", "certificate": "/a.pem"},
        {"key": f"{URI}?PIN-VALUE={PIN}"[4:], "certificate": "/a.pem"},
        {"key": f"{URI}&pin-value={PIN}"},
    ],
)
def test_a_pin_where_none_belongs(entry: dict[str, str]) -> None:
    """It is refused before it becomes part of a path or a name, which are shown."""
    reading = _native(**entry)

    assert [] != [*reading.faults]
    assert PIN not in f"{reading!r} {reading.faults} {reading.warnings}"


def test_a_pin_in_the_uri_of_a_certificate() -> None:
    """It is left out: the PIN of the key is that of the token."""
    material = _material(_native(key=URI, certificate=f"{URI};type=cert?pin-value={PIN}"))

    assert URI == str(material.certificate_uri)
    assert PIN not in repr(material)


def test_a_pin_in_a_path_of_the_environment() -> None:
    """A URI there may have its PIN; a path may not."""
    assert PIN == _pin(read({"ClientCertificates": f"{URI}?pin-value={PIN}"}))

    for name, path in (("ClientCertificates", f"x{URI}"), ("CACertificates", URI)):
        reading = read({name: f"{path}?pin-value={PIN}"})
        assert PIN not in str(only_fault(reading)) + repr(reading)
