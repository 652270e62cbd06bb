"""Fixtures of the tests of ``mxcert init``: its call, the files it is for, what servers see."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mxcert_runtime
from mxcert_runtime.cli import main
from tests.cli.init.formats import HOST, OTHER, PASSWORD, Init, Variables
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.tls_server import TlsServer


@pytest.fixture
def init(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Init:
    """Runs ``mxcert init`` in this process, without a terminal."""

    def init(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        status = main(["init", *map(str, arguments)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return init


@pytest.fixture
def pfx(tmp_path: Path, alpha: Leaf) -> Path:
    """A PKCS12 file with a blank in its name, which nobody else may read."""
    path = ClientFiles(tmp_path, PASSWORD).pkcs12(alpha, "our billing.pfx")
    path.chmod(0o600)
    return path


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """The password, as an editor leaves it: with a newline at its end."""
    path = tmp_path / "billing.pw"
    path.write_text(f"{PASSWORD}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def use(
    monkeypatch: pytest.MonkeyPatch,
    tls_server: ServerFactory[TlsServer],
    authority: Authority,
    loopback_names: LoopbackNames,
) -> Callable[[Variables], list[str | None]]:
    """Puts settings in force; gives the fingerprints that a server saw under both names."""

    def use(variables: Variables) -> list[str | None]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        mxcert_runtime.activate()
        server = tls_server(hosts=(HOST, OTHER))
        context = plain_context(authority)
        return [fetch(server.url(host), context)["fingerprint"] for host in (HOST, OTHER)]

    return use
