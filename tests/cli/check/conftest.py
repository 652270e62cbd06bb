"""Fixtures of the tests of ``mxcert check``: its call, and settings with everything in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.cli.check.schema import SCHEMA
from tests.cli.check.settings import Check, Report, use
from tests.cli.json_schema import violations
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.pki import Authority, Leaf


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs ``mxcert check`` in this process."""

    def check(*arguments: str) -> tuple[int, str]:
        status = main(["check", *arguments])
        printed = capsys.readouterr()
        assert "" == printed.err
        return status, printed.out

    return check


@pytest.fixture
def report(check: Check) -> Report:
    """Runs ``mxcert check --json``, whose output is as the schema says."""

    def report(*arguments: str) -> tuple[int, dict[str, Any]]:
        status, printed = check("--json", *arguments)
        data = json.loads(printed)
        assert [] == list(violations(SCHEMA, data))
        assert data["ok"] == (0 == status)
        return status, data

    return report


@pytest.fixture(scope="module")
def sound(client_authority: Authority) -> Leaf:
    """A leaf with which nothing is wrong."""
    return client_authority.intermediate("Intermediate").issue(
        "sound", hosts=["client.example", "192.0.2.7"], server=False
    )


NATIVE = """
unlisted_hosts = "none"
service_prefixes = ["Billing"]
ca = ['{root}']

[[identity]]
name = "billing"
pkcs12 = '{first}'
password_file = '{password}'
hosts = ["*.pay.example", "api.example", "*.pay.example:8443", "api.example:8443"]
services = ["Billing.Invoices"]
ca = ['{root}']

[[identity]]
name = "orders"
pkcs12 = '{second}'
password = "{literal}"
hosts = ["orders.example"]

[no_certificate]
hosts = ["public.example"]

[services]
"Billing.Invoices" = ["invoices.example"]
"""


@pytest.fixture
def native(
    client_files: ClientFiles,
    sound: Leaf,
    gamma: Leaf,
    client_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A settings file with everything in it, which ``MXCERT_CONFIG`` names."""
    folder = client_files.folder
    (folder / "billing.pw").write_text(PASSWORD)
    settings = folder / "mxcert.toml"
    settings.write_text(
        NATIVE.format(
            root=client_files.authority(client_authority),
            first=client_files.pkcs12(sound),
            second=client_files.pkcs12(gamma),
            password=folder / "billing.pw",
            literal=PASSWORD,
        )
    )
    use(monkeypatch, client_files, MXCERT_CONFIG=str(settings), MXCERT_EXPIRED_IDENTITIES="refuse")
    return settings
