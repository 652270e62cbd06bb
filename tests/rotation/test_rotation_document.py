"""The settings in docs/rotation.md, with the files that its tools write, over real handshakes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.server_tls import Demand
from tests.support.tls_server import TlsServer

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = Path(__file__).resolve().parents[2] / "docs/rotation.md"
_MOUNT, _HOST = "/run/identities", "api.billing.example"


def snippets() -> list[str]:
    """The TOML of the page."""
    return re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def write_as_cert_manager(folder: Path, leaf: Leaf) -> None:
    """The keys of its Secret, as they are mounted."""
    (folder / "tls.crt").write_bytes(leaf.pem())
    (folder / "tls.key").write_bytes(leaf.key_pem())


def write_as_vault_agent(folder: Path, leaf: Leaf) -> None:
    """Leaf, its CA and the key in one file, which takes the place of the one before."""
    new = folder / "billing.pem.new"
    new.write_bytes(leaf.pem() + leaf.key_pem())
    new.replace(folder / "billing.pem")


WRITERS = {"tls.crt": write_as_cert_manager, "billing.pem": write_as_vault_agent}


@pytest.mark.usefixtures("loopback_names")
@pytest.mark.parametrize("file", WRITERS)
def test_a_renewal(
    file: str,
    tmp_path: Path,
    gamma: Leaf,
    alpha: Leaf,
    authority: Authority,
    tls_server: ServerFactory[TlsServer],
) -> None:
    """The server sees the first certificate, and after the renewal the second, with its chain."""
    [snippet] = [each for each in snippets() if f'"{_MOUNT}/{file}"' in each]
    settings: dict[str, Any] = tomllib.loads(snippet.replace(_MOUNT, str(tmp_path)))
    server = tls_server(hosts=[_HOST], demand=Demand.DEMAND)
    context = plain_context(authority)
    WRITERS[file](tmp_path, alpha)
    mxcert_runtime.activate(settings)
    seen = [fetch(server.url(_HOST), context)["fingerprint"]]
    WRITERS[file](tmp_path, gamma)
    mxcert_runtime.reload()
    seen.append(fetch(server.url(_HOST), context)["fingerprint"])
    assert [alpha.fingerprint, gamma.fingerprint] == seen


def test_every_snippet_is_tested() -> None:
    """A snippet that is added needs the tool that writes its files."""
    names = [name for each in snippets() for name in WRITERS if f'"{_MOUNT}/{name}"' in each]
    assert sorted(WRITERS) == sorted(names)
    assert len(snippets()) == len(names)
