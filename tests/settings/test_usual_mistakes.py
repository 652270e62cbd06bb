"""Mistakes that are made again and again are told by name, with what to write instead."""

from __future__ import annotations

import base64
import json

import pytest

from mxcert_runtime.base import Secret
from mxcert_runtime.settings.loading import read_settings
from tests.settings.readings import NO_FILE, only_fault, read, sound

_KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQ" + "A" * 400 + "\n-----END PRIVATE KEY-----\n"
_DER = "MII" + base64.b64encode(b"k" * 300).decode()
_INLINE = "CLIENT_CERTIFICATES"


def _pfx(text: str) -> str:
    return json.dumps([{"pfx": text, "password": ""}])


_MISTAKES = {
    "single quotes in a list": ("ClientCertificates", "['a.pfx']", "texts in double quotes"),
    "single quotes in passwords": (
        "ClientCertificatePasswords",
        "['a-secret']",
        "texts in double quotes",
    ),
    "single quotes in an object": (
        "ClientCertificateUsages",
        "{'a.example': '/a.pfx'}",
        "texts in double quotes",
    ),
    "quotes of a word processor": (
        "ClientCertificates",
        "[\u201ca.pfx\u201d]",
        "texts in double quotes",
    ),
    "single backslashes": ("ClientCertificates", r'["C:\certs\a.pfx"]', "Double the backslashes"),
    "backslashes that are escapes": ("ClientCertificates", r'["C:\new\test.pfx"]', "double it"),
    "PEM in the place of a path": ("ClientCertificates", _KEY, "its path; a PKCS12 itself goes"),
    "PEM with its line breaks written out": (
        "ClientCertificates",
        _KEY.replace("\n", "\\n"),
        "its path; a PKCS12 itself goes",
    ),
    "base64 in the place of a path": ("ClientCertificates", _DER, "its path; a PKCS12 itself goes"),
    "a path in the place of content": (_INLINE, _pfx("/a.pfx"), "not its path"),
    "PEM in the place of content": (_INLINE, _pfx(_KEY), "not PEM text"),
    "an URL in the place of content": (_INLINE, _pfx(f"data:;base64,{_DER}"), "not a `data:` URL"),
}


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_mistake(mistake: str) -> None:
    """The remedy says it, and nothing of the value is shown, which may be a secret."""
    name, value, words = _MISTAKES[mistake]
    fault = only_fault(read_settings({name: value}, default_file=NO_FILE))
    assert words in fault.remedy
    assert name in fault.origin
    assert [] == [part for part in ("a-secret", "MII", "a.pfx", "test.pfx") if part in str(fault)]


def test_as_it_is_meant() -> None:
    """The twin: brackets, quotes and backslashes as they should be."""
    usages = json.dumps({"a.example": r"C:\certs\a.pfx"})
    environ = {
        "ClientCertificates": json.dumps([r"C:\certs\a.pfx"]),
        "ClientCertificatePasswords": "['",
        "ClientCertificateUsages": usages,
    }
    (identity,) = sound(read(environ)).settings.identities
    assert identity.name == r"C:\certs\a.pfx"
    assert identity.password == Secret("['")


def test_long_paths() -> None:
    """A path of many characters is no base64."""
    path = "/" + "MIIa" * 80 + "/a.pfx"
    (identity,) = sound(read({"ClientCertificates": path})).settings.identities
    assert identity.name == path
