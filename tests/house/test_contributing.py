"""CONTRIBUTING's examples are tried as they stand there: a server sees their certificates."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import ssl
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.errors import SettingsError
from mxcert_runtime.settings.loading import settings_from
from mxcert_runtime.start import swap
from mxcert_runtime.start.given import Given
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = re.compile(r"<!-- example: ([^\n]+) -->\n```\w+\n(.*?)```", re.DOTALL)
EXAMPLES: Mapping[str, str] = dict(_EXAMPLE.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8")))


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer]) -> TlsServer:
    """It takes every client."""
    return tls_server()


WREN = """
    import json, ssl, sys
    import mxcert_runtime, wren

    given = json.load(sys.stdin)
    context = ssl.create_default_context(cafile=given["ca_file"])
    context.check_hostname = False
    mxcert_runtime.activate(settings=given["settings"])
    print(json.dumps(wren.Client("localhost", given["port"], context).ask()["fingerprint"]))
    mxcert_runtime.deactivate()
    assert "ask" in vars(wren.Client) and not hasattr(wren.Client.ask, "__wrapped__")
"""


@pytest.mark.parametrize("is_hooked", [True, False], ids=["with the hook", "without"])
def test_a_hook(
    is_hooked: bool,
    tmp_path: Path,
    server: TlsServer,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
) -> None:
    """In a copy of the package the rule of the library's host counts, and without the hook not."""
    (tmp_path / "wren.py").write_text(EXAMPLES["wren.py"])
    _copy_package(tmp_path, is_hooked)
    identity = client_files.identity("alpha", alpha, hosts=["localhost"])
    given = {
        "settings": {"identity": [identity], "unlisted_hosts": "none"},
        "ca_file": str(client_files.authority(authority)),
        "port": server.port,
    }

    done = run_client(WREN, stdin=json.dumps(given), environment={"PYTHONPATH": str(tmp_path)})

    expected = alpha.fingerprint if is_hooked else None
    assert expected == done.json()
    assert is_hooked == ("names no host" not in done.stderr)
    assert [expected] == [each.fingerprint for each in server.seen]


def _copy_package(folder: Path, is_hooked: bool) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mxcert_runtime", folder / "mxcert_runtime", ignore=ignored)
    if is_hooked:
        name = "mxcert_runtime/hooks/wren_client.py"
        (folder / name).write_text(EXAMPLES[name])
        with (folder / "mxcert_runtime/hooks/__init__.py").open("a") as file:
            file.write(EXAMPLES["append to LIBRARIES"])


NEWEST = """
    import json, sys, urllib.request
    import mxcert_runtime

    with urllib.request.urlopen(sys.argv[1]) as response:
        print(json.dumps(json.load(response)["fingerprint"]))
"""


@pytest.mark.parametrize("is_there", [True, False], ids=["a file", "an empty folder"])
def test_a_source(
    is_there: bool,
    tmp_path: Path,
    server: TlsServer,
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
) -> None:
    """An installed kind gives the identity; where it has none, the import says why."""
    folder, packages = tmp_path / "certificates", tmp_path / "packages"
    folder.mkdir()
    if is_there:
        (folder / "first.p12").write_bytes(alpha.pkcs12(PASSWORD))
    _install_source(packages)
    settings = tmp_path / "mxcert.toml"
    text = EXAMPLES["settings of the source"]
    settings.write_text(text.replace("{folder}", str(folder)).replace("{password}", PASSWORD))
    environment = {
        "PYTHONPATH": f"{packages}:{ROOT}",
        "MXCERT_CONFIG": str(settings),
        "SSL_CERT_FILE": str(client_files.authority(authority)),
    }

    done = run_client(NEWEST, server.url("localhost"), environment=environment)

    assert is_there == (0 == done.returncode)
    if is_there:
        assert [alpha.fingerprint] == [each.fingerprint for each in server.seen]
    else:
        assert "Put a PKCS12 file into the folder" in done.stderr
        assert PASSWORD not in done.stderr


def _install_source(packages: Path) -> None:
    """As pip would: the module, and the metadata with its entry point."""
    records = packages / "newest_file-1.0.dist-info"
    records.mkdir(parents=True)
    (packages / "newest_file.py").write_text(EXAMPLES["newest_file.py"])
    (records / "METADATA").write_text("Metadata-Version: 2.1\nName: newest-file\nVersion: 1.0\n")
    name, module = re.findall(r'^([\w-]+) = "(.+)"$', EXAMPLES["entry point"], re.MULTILINE)[0]
    (records / "entry_points.txt").write_text(f"[mxcert_runtime.sources]\n{name} = {module}\n")


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the example."""
    (tmp_path / "sealed_key.py").write_text(EXAMPLES["sealed_key.py"])
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("sealed_key")
    del sys.modules["sealed_key"]


def _reading(sealed: Any, folder: Path, leaf: Leaf, password: str) -> Any:
    """Settings whose only identity is made from the example's files."""
    certificate, key = leaf.write_pem(folder, password=PASSWORD)
    entry = {"certificate": str(certificate), "key": str(key), "password": password}
    reading = settings_from({"identity": [{**entry, "hosts": ["localhost"]}]})
    (identity,) = reading.settings.identities
    material = sealed.SealedFiles(str(certificate), str(key))
    identities = (replace(identity, material=material),)
    return replace(reading, settings=replace(reading.settings, identities=identities))


def test_a_key(
    sealed: Any, tmp_path: Path, server: TlsServer, authority: Authority, alpha: Leaf
) -> None:
    """The server sees the certificate of a key that only OpenSSL has opened."""
    generation = build_generation(_reading(sealed, tmp_path, alpha, PASSWORD))
    with swap.lock:
        swap.put_in_force(generation, Given(None), {})

    context = ssl.create_default_context(cadata=authority.pem.decode())
    seen = fetch(server.url("localhost"), context)

    assert alpha.fingerprint == seen["fingerprint"]
    assert generation.identities[0].key.kind == mxcert_runtime.identities()[0].key_type


def test_a_key_under_another_password(sealed: Any, tmp_path: Path, alpha: Leaf) -> None:
    """The twin: OpenSSL cannot open it, which activation says, and not the password."""
    with pytest.raises(SettingsError) as caught:
        build_generation(_reading(sealed, tmp_path, alpha, "of somebody else"))
    assert "of somebody else" not in str(caught.value)


def test_every_example_is_tried() -> None:
    """An example that no test takes would be one that nobody has run."""
    source = Path(__file__).read_text("utf-8")
    assert [] == [name for name in EXAMPLES if f'"{name}"' not in source]
    assert 7 == len(EXAMPLES)
