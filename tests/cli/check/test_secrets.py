"""``mxcert check`` shows no secret, nor what a certificate would write to a terminal."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.cli.check.settings import Check, use
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.pki import Authority, Leaf


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_secrets_are_not_shown(
    check: Check, native: Path, client_files: ClientFiles, arguments: list[str]
) -> None:
    """Neither a literal password nor that of a file is in the output."""
    assert PASSWORD not in check(*arguments)[1]


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_inline_secrets_are_not_shown(
    check: Check, sound: Leaf, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Neither password nor content of the cloud's inline certificates is in the output."""
    content = base64.b64encode(sound.pkcs12(PASSWORD)).decode()
    entry = {"pfx": content, "password": PASSWORD, "pin_to": ["api.example"]}
    monkeypatch.setenv("CLIENT_CERTIFICATES", json.dumps([entry]))
    status, printed = check(*arguments)
    assert 0 == status
    assert "(in the settings)" in printed
    assert PASSWORD not in printed
    assert content[:40] not in printed


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_swapped_variables(
    check: Check, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """A password where a path belongs is not listed, by name or by value; a path is."""
    values = {
        "ClientCertificates": f"{PASSWORD},/nowhere/a.pfx",
        "ClientCertificatePasswords": "b.pfx,c.pfx",
        "CACertificates": PASSWORD,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    status, printed = check(*arguments)
    assert 1 == status
    assert PASSWORD not in printed
    assert "not shown, since it leads nowhere" in printed
    assert "/nowhere/a.pfx" in printed


def test_certificates_cannot_write_to_the_terminal(
    check: Check,
    client_files: ClientFiles,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A subject's control characters are shown as escapes."""
    leaf = client_authority.issue("\x1b[31mevil", server=False)
    use(monkeypatch, client_files, **client_files.variables(leaf))
    printed = check()[1]
    assert "\x1b" not in printed
    assert "CN=\\x1b[31mevil" in printed
