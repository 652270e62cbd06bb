"""A PKCS12 file with several keys is several identities of one entry: the request chooses."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from tests.clients.openssl_calls import trusting
from tests.connections.candidates import connected
from tests.connections.test_pyopenssl import connected as connected_by_pyopenssl
from tests.identity import pfx
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf, now
from tests.support.server_tls import TlsVersion

OpensslServers = ServerFactory[OpensslServer]


def _settings(folder: Path, *leaves: Leaf, **more: Any) -> dict[str, Any]:
    """One entry, whose file holds all of them; its rule is for localhost."""
    bags = [pfx.key_bag(pfx.pkcs8(leaf)) for leaf in leaves]
    bags += [pfx.certificate_bag(leaf.der()) for leaf in leaves]
    path = folder / "several.p12"
    path.write_bytes(pfx.file_of(pfx.data(*bags)))
    entry = {"name": "several", "pkcs12": str(path), "hosts": ["localhost"]}
    return {"identity": [entry], "unlisted_hosts": "none", **more}


@pytest.fixture(params=["ssl", "pyOpenSSL"])
def present(request: pytest.FixtureRequest, context: ssl.SSLContext, tmp_path: Path) -> Any:
    """The fingerprint that a server sees of one connection."""
    path = Path(tmp_path, "trusted.pem")

    def by_either(server: OpensslServer, authority: Authority) -> str | None:
        path.write_bytes(authority.pem)
        before = len(server.presented)
        if request.param == "ssl":
            with connected(server.port, context):
                return server.presented.wait_for(before + 1)[before]
        with connected_by_pyopenssl(server.port, trusting(str(path))):
            return server.presented.wait_for(before + 1)[before]

    return by_either


@pytest.fixture(scope="session")
def pair(root_a: Authority, root_b: Authority) -> tuple[Leaf, Leaf]:
    return root_a.issue("a", server=False), root_b.issue("b", server=False)


@pytest.mark.parametrize("wanted", ["a", "b", "stranger"])
def test_the_issuers_of_the_request(
    openssl_server: OpensslServers,
    tls_version: TlsVersion,
    present: Any,
    pair: tuple[Leaf, Leaf],
    authority: Authority,
    root_a: Authority,
    root_b: Authority,
    tmp_path: Path,
    wanted: str,
) -> None:
    """The one that fits is presented; where none does, nothing is."""
    roots = {"a": root_a, "b": root_b, "stranger": Authority("Stranger")}
    expected = {"a": pair[0].fingerprint, "b": pair[1].fingerprint, "stranger": None}
    server = openssl_server(version=tls_version, client_authorities=[roots[wanted]])
    mxcert_runtime.activate(settings=_settings(tmp_path, *pair))
    assert expected[wanted] == present(server, authority)


def test_a_rule_alone_gives_them(
    openssl_server: OpensslServers,
    present: Any,
    pair: tuple[Leaf, Leaf],
    authority: Authority,
    root_a: Authority,
    tmp_path: Path,
) -> None:
    """The twin: a host without the rule gets none of them."""
    server = openssl_server(version=TlsVersion.TLS13, client_authorities=[root_a])
    settings = _settings(tmp_path, *pair)
    settings["identity"][0]["hosts"] = ["elsewhere.test"]
    mxcert_runtime.activate(settings=settings)
    assert present(server, authority) is None


def test_the_first_that_is_valid(
    openssl_server: OpensslServers,
    tls_version: TlsVersion,
    present: Any,
    pair: tuple[Leaf, Leaf],
    authority: Authority,
    root_a: Authority,
    tmp_path: Path,
) -> None:
    """Of two that fit, the expired one is passed over."""
    end = now() - datetime.timedelta(hours=1)
    expired = root_a.issue("old", server=False, not_after=end)
    server = openssl_server(version=tls_version, client_authorities=[root_a])
    mxcert_runtime.activate(settings=_settings(tmp_path, expired, pair[0]))
    assert pair[0].fingerprint == present(server, authority)


def test_what_is_told(pair: tuple[Leaf, Leaf], tmp_path: Path) -> None:
    """All are listed under names of their own, and the rule says that the request chooses."""
    mxcert_runtime.activate(settings=_settings(tmp_path, *pair))
    assert ["several", "several (2)"] == [each.name for each in mxcert_runtime.identities()]
    explained = mxcert_runtime.explain("localhost")
    assert ["several", "several (2)"] == [each.name for each in explained.candidates]
    assert "the server's request chooses among 2 identities" in explained.reason
    assert explained.rule is not None
    assert "localhost" == explained.rule.name


def test_one_key_is_one_identity(pair: tuple[Leaf, Leaf], tmp_path: Path) -> None:
    """The twin: nothing changes where a file holds one key."""
    mxcert_runtime.activate(settings=_settings(tmp_path, pair[0]))
    explained = mxcert_runtime.explain("localhost")
    assert () == explained.candidates
    assert explained.identity is not None
    assert "several" == explained.identity.name
