"""A library beyond the versions that its hooks know: they are left out, and ssl serves it."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from mxcert_runtime.cli import main
from mxcert_runtime.hooks import LIBRARIES
from mxcert_runtime.hooks.known_versions import KNOWN, Known, installed_beyond
from mxcert_runtime.hooks.patching import Library, Patches
from mxcert_runtime.hooks.versions_table import with_table
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.subprocesses import ROOT, run_client
from tests.support.tls_server import TlsServer

_BEYOND = "999.0"


def _libraries(known: Known) -> tuple[Library, ...]:
    """What is hooked of a library that is installed, as it is loaded now."""
    pytest.importorskip(known.module)
    found = []
    for library in (each.found() for each in LIBRARIES):
        if library.version_module == known.module:
            try:
                importlib.import_module(library.module)
            except ImportError:  # of another edition, such as urllib3-future, or of an extra
                continue
            found.append(library)
    return tuple(found)


def _places(libraries: tuple[Library, ...]) -> list[object]:
    """What stands where the hooks would put theirs."""
    patches = [patch for library in libraries for patch in library.patches()]
    return [vars(patch._owner()).get(patch._name) for patch in patches]


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)
@pytest.mark.parametrize("version", ["", _BEYOND, "0.0.1"])
def test_each_library(
    known: Known,
    version: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As it is installed it is hooked, without a word; of a version too new or too old nothing of
    it is touched, and one warning tells which versions there are, however many modules it has."""
    libraries = _libraries(known)
    if version:
        monkeypatch.setattr(importlib.import_module(known.module), "__version__", version)
    before = _places(libraries)
    patches = Patches(libraries)
    patches.apply()
    try:
        # By identity: a proxy of wrapt equals what it stands for.
        changed = [a is not b for a, b in zip(before, _places(libraries))]
        assert [not version] * len(before) == changed
        assert (not version) == bool(patches.names)
    finally:
        patches.undo()
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    said = f"{known.module} {version} is not a version that mxcert_runtime knows (from {known.low},"
    assert [said] * bool(version) == [each[: len(said)] for each in told]


def test_each_hook_has_a_row() -> None:
    """No hook of a library that has versions goes without them, nor by others than the table's."""
    standard = ("asyncio", "ftplib", "http", "socket", "ssl")
    without_version = "pytds", "pycurl", "tornado"  # they say none
    for library in (each.found() for each in LIBRARIES):
        package = library.module.partition(".")[0]
        if library.is_reached and package not in (*standard, *without_version):
            known = KNOWN[library.version_module]
            assert (package, known.versions) == (known.module.partition(".")[0], library.versions)


_CLIENTS = {
    "urllib3": """
        import urllib3
        urllib3.__version__ = "999.0"
        def call(url, ca):
            return json.loads(urllib3.PoolManager(ca_certs=ca).request("GET", url).data)
    """,
    "requests": """
        import requests
        requests.__version__ = "999.0"
        def call(url, ca):
            return requests.get(url, verify=ca).json()
    """,
    "httpcore": """
        import httpcore, httpx, ssl
        httpcore.__version__ = "999.0"
        def call(url, ca):
            context = ssl.create_default_context(cafile=ca)
            return httpx.get(url, verify=context, timeout=60).json()
    """,
    "aiohttp": """
        import aiohttp, asyncio, ssl
        aiohttp.__version__ = "999.0"
        async def ask(url, ca):
            context = ssl.create_default_context(cafile=ca)
            async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as answer:
                return await answer.json()
        def call(url, ca):
            return asyncio.run(ask(url, ca))
    """,
    "OpenSSL": """
        import OpenSSL
        OpenSSL.__version__ = "999.0"
        from OpenSSL import SSL
        import socket
        def call(url, ca):
            host, port = url.split("/")[2].split(":")
            context = SSL.Context(SSL.TLS_CLIENT_METHOD)
            context.load_verify_locations(ca)
            context.set_verify(SSL.VERIFY_PEER)
            connection = SSL.Connection(context, socket.create_connection((host, int(port))))
            connection.set_tlsext_host_name(host.encode())
            connection.set_connect_state()
            connection.do_handshake()
            connection.sendall(b"GET / HTTP/1.0\\r\\nHost: %b\\r\\n\\r\\n" % host.encode())
            answer = b""
            try:
                while True:
                    answer += connection.recv(4096)
            except SSL.Error:
                pass
            return json.loads(answer.partition(b"\\r\\n\\r\\n")[2])
    """,
}
_CALL = """
import json, sys
import mxcert_runtime
answer = call(*sys.argv[1:])
print(json.dumps(answer["fingerprint"]))
"""


@pytest.mark.parametrize("module", _CLIENTS)
def test_what_the_server_sees(
    module: str,
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
) -> None:
    """Without its own hooks a client still presents what its host is due, by those of ``ssl``;
    pyOpenSSL alone does not, and its warning says so."""
    pytest.importorskip(module)
    import textwrap

    server = tls_server()
    bundle = str(client_files.authority(authority))
    environment = client_files.variables(usages={"localhost": alpha})
    program = textwrap.dedent(_CLIENTS[module]).replace("import", "import json\nimport", 1) + _CALL

    done = run_client(program, server.url(), bundle, environment=environment)

    is_lost = module == "OpenSSL"
    assert (None if is_lost else alpha.fingerprint) == done.json()
    [told] = [each for each in done.stderr.splitlines() if "is not a version" in each]
    assert is_lost == ("present no certificate" in told)


def test_check(
    client_files: ClientFiles,
    alpha: Leaf,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``mxcert check`` tells of an installed version that is not known, by its distribution."""
    genuine: Callable[[str], str] = importlib.metadata.version
    for name, value in client_files.variables(alpha).items():
        monkeypatch.setenv(name, value)
    main(["check", "--json"])
    assert [] == _unknown(capsys)

    def version(name: str) -> str:
        return _BEYOND if name == "requests" else genuine(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    main(["check", "--json"])
    [told] = _unknown(capsys)
    assert "the installed package `requests`" == told["origin"]
    assert "is of version 999.0" in told["problem"]
    assert "Install a version from 2.28, below 3" == told["remedy"]


def _unknown(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    report = json.loads(capsys.readouterr().out)
    return [each for each in report["warnings"] if each["code"] == "unknown-version"]


def test_what_the_tests_run_with_is_known() -> None:
    """Nothing that is installed here is beyond the table."""
    assert [] == list(installed_beyond())


def test_the_document() -> None:
    """The table of docs/hooks.md is the one that the hooks go by."""
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    assert with_table(page) == page
