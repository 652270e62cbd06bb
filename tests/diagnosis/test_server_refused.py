"""The server's chain is refused: what counted as trust is told, where the settings have a part."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer

from .exchanges import client_context, exchange, failure_of, over_memory
from .told import LOGGER, as_it_is, notes_of, told_of, warnings_of

HOST, OTHER = "good.test", "other.test"


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer], caplog: pytest.LogCaptureFixture) -> TlsServer:
    """A server for two names, by the common authority."""
    caplog.set_level(logging.WARNING, LOGGER)
    return tls_server(hosts=[HOST, OTHER])


@pytest.fixture
def foreign() -> Authority:
    """An authority that has issued nothing here."""
    return Authority("Foreign root")


def _settings(
    files: ClientFiles, leaf: Leaf, hosts: list[str], own: Authority | None = None
) -> dict[str, Any]:
    identity = files.identity("own", leaf, hosts=hosts, authorities=[own] if own else [])
    return {"unlisted_hosts": "none", "identity": [identity]}


@pytest.mark.parametrize("way", [exchange, over_memory], ids=lambda way: way.__name__)
def test_authorities_of_a_rule(
    way: Any,
    server: TlsServer,
    authority: Authority,
    foreign: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The program trusts the server, its rule does not: the files of the rule are named."""
    expected = as_it_is(failure_of(client_context(foreign), HOST, server.port, way))
    mxcert_runtime.activate(settings=_settings(client_files, alpha, [HOST], foreign))
    context = client_context(authority)
    error = failure_of(context, HOST, server.port, way)
    told = told_of(error, caplog)
    file = client_files.authority(foreign)
    assert expected == as_it_is(error)
    assert isinstance(error, ssl.SSLCertVerificationError)
    assert told[""].startswith("this side refused the server's certificate")
    assert f"rule `{HOST}` of settings argument" in told["decision"]
    assert told["trusted"] == f"the pinned CAs of the rule ({file})"
    assert "the `ca` of its rule" in told["remedy"]
    assert way(context, OTHER, server.port).startswith(b"HTTP/1.1 200")


def test_trust_of_the_program(
    server: TlsServer,
    foreign: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """A rule without authorities: the file that the program named is named."""
    mxcert_runtime.activate(settings=_settings(client_files, alpha, [HOST]))
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(foreign.pem)
    context = ssl.create_default_context(cafile=str(bundle))
    told = told_of(failure_of(context, HOST, server.port), caplog)
    assert told["trusted"] == f"what the program loaded: {bundle}"


def test_extra_authorities(
    server: TlsServer,
    foreign: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Extra authorities count with default trust, and not with a bundle that the program names."""
    extra = client_files.authority(foreign)
    platform = client_files.authority(Authority("Platform root"))
    bundle = client_files.authority(Authority("Another root"))
    monkeypatch.setenv("SSL_CERT_FILE", str(platform))
    monkeypatch.setenv("SSL_CERT_DIR", str(client_files.folder / "none"))
    settings = {**_settings(client_files, alpha, ["x.test"]), "ca": [str(extra)]}
    mxcert_runtime.activate(settings=settings)
    contexts = ssl.create_default_context(), ssl.create_default_context(cafile=str(bundle))
    told = []
    for context in contexts:
        caplog.clear()
        told.append(told_of(failure_of(context, HOST, server.port), caplog)["trusted"])
    assert [
        f"what the program loaded: the platform's default paths, and the extra CAs ({extra})",
        f"what the program loaded: {bundle}; the extra CAs ({extra}) count with default trust only",
    ] == told


def test_older_contexts(
    server: TlsServer,
    foreign: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a context trusts that is older than the settings is not guessed."""
    context = client_context(foreign)
    mxcert_runtime.activate(settings=_settings(client_files, alpha, [HOST]))
    told = told_of(failure_of(context, HOST, server.port), caplog)
    assert told["trusted"] == "what the program's SSL context holds, which nobody can tell"


@pytest.mark.parametrize("case", ["no part", "name"])
def test_what_is_not_ours_is_left_alone(
    case: str,
    server: TlsServer,
    authority: Authority,
    foreign: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No note where no rule and no extra authority has a part in it, or the name is wrong."""
    mxcert_runtime.activate(settings=_settings(client_files, alpha, ["wrong.test"]))
    if case == "name":
        error = failure_of(client_context(authority), "wrong.test", server.port)
    else:
        error = failure_of(client_context(foreign), HOST, server.port)
    assert isinstance(error, ssl.SSLCertVerificationError)
    assert ([], []) == (notes_of(error), warnings_of(caplog))
