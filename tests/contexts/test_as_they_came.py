"""What `load_cert_chain` takes is taken and presented as it came, by `ssl` and by pyOpenSSL."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.errors import SettingsError
from tests.clients import openssl_calls
from tests.support.factories import ServerFactory
from tests.support.odd_certificates import (
    KEY_KINDS,
    ODD_CERTIFICATES,
    REFUSED_CERTIFICATES,
    OddLeaf,
    leaf_of_kind,
    odd_leaf,
)
from tests.support.pki import Authority
from tests.support.plain_client import fetch_text
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

TLS12, TLS13 = TlsVersion.TLS12, TlsVersion.TLS13
Servers = ServerFactory[TlsServer]

#: OpenSSL refuses these as the peer's, whoever presents them.
_REFUSED_BY_PEERS = {"EC, parameters written out"}
#: TLS 1.3 has no such curve.
_OF_TLS_1_2 = {"EC, binary curve"}
_NOT_VERIFIED = {"UTCTime without seconds", "UTCTime with an offset"}
KINDS = [each for each in KEY_KINDS if each not in _REFUSED_BY_PEERS | _OF_TLS_1_2]
CERTIFICATES = [each for each in ODD_CERTIFICATES if each not in _NOT_VERIFIED]


def _native(folder: Path, leaf: OddLeaf, authority: Authority) -> ssl.SSLContext:
    """What the standard library presents without the plugin."""
    files = leaf.write(folder, "native")
    context = ssl.create_default_context(cadata=authority.pem.decode())
    context.load_cert_chain(files["certificate"], files["key"])
    return context


def _by_ssl(url: str, authority: Authority) -> Any:
    context = ssl.create_default_context(cadata=authority.pem.decode())
    return fetch_text(url, context)


def _by_pyopenssl(folder: Path, url: str, authority: Authority) -> Any:
    path = folder / "trusted.pem"
    path.write_bytes(authority.pem)
    return openssl_calls.over_socket(url, openssl_calls.trusting(str(path)))


def _put_in_force(*identities: dict[str, Any]) -> None:
    """With every warning that a library gives an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mxcert_runtime.activate(settings={"identity": list(identities)})


def _as_pkcs12(folder: Path, leaf: OddLeaf) -> dict[str, Any]:
    path = folder / "odd.p12"
    path.write_bytes(leaf.pkcs12("secret"))
    return {"name": "odd", "pkcs12": str(path), "password": "secret"}


def _check(
    folder: Path, leaf: OddLeaf, server: TlsServer, authority: Authority, settings: dict[str, Any]
) -> None:
    url = server.url("localhost")
    native = fetch_text(url, _native(folder, leaf, authority))
    assert leaf.fingerprint in native
    _put_in_force({**settings, "hosts": ["localhost"]})
    assert leaf.fingerprint in _by_ssl(url, authority)
    assert leaf.fingerprint == _by_pyopenssl(folder, url, authority)["fingerprint"]


@pytest.mark.parametrize("form", ["pem", "pkcs12"])
@pytest.mark.parametrize("kind", KINDS)
def test_keys(
    tls_server: Servers,
    tls_version: TlsVersion,
    authority: Authority,
    client_authority: Authority,
    tmp_path: Path,
    kind: str,
    form: str,
) -> None:
    """Every kind of key reaches the server, out of PEM and PKCS12 files, and keeps its kind."""
    leaf = leaf_of_kind(client_authority, kind)
    server = tls_server(version=tls_version, client_authorities=[client_authority])
    settings = leaf.write(tmp_path) if form == "pem" else _as_pkcs12(tmp_path, leaf)
    _check(tmp_path, leaf, server, authority, settings)
    (shown,) = mxcert_runtime.identities()
    assert shown.key_type.startswith(kind.partition(",")[0].partition(" ")[0])


@pytest.mark.parametrize("kind", sorted(_REFUSED_BY_PEERS | _OF_TLS_1_2))
def test_keys_that_peers_refuse(
    client_authority: Authority, authority: Authority, tmp_path: Path, kind: str
) -> None:
    """What `load_cert_chain` takes is no fault here, although servers of OpenSSL refuse it."""
    leaf = leaf_of_kind(client_authority, kind)
    _native(tmp_path, leaf, authority)
    for settings in (leaf.write(tmp_path), _as_pkcs12(tmp_path, leaf)):
        _put_in_force(settings)
        assert leaf.fingerprint == mxcert_runtime.identities()[0].fingerprint


@pytest.mark.parametrize("name", CERTIFICATES)
def test_certificates(
    tls_server: Servers,
    authority: Authority,
    client_authority: Authority,
    tmp_path: Path,
    name: str,
) -> None:
    """Odd names, numbers and extensions reach the server, without a warning of any library."""
    leaf = odd_leaf(client_authority, ODD_CERTIFICATES[name])
    server = tls_server(client_authorities=[client_authority])
    _check(tmp_path, leaf, server, authority, leaf.write(tmp_path))


#: where its reading of odd certificates is another one than that of 3.0, which is tested here
of_openssl_before_3_5 = pytest.mark.skipif(
    ssl.OPENSSL_VERSION_INFO >= (3, 5), reason="OpenSSL 3.5 and later judge some of these otherwise"
)


@of_openssl_before_3_5
@pytest.mark.parametrize("name", sorted(_NOT_VERIFIED))
def test_certificates_with_odd_times(
    authority: Authority, client_authority: Authority, tmp_path: Path, name: str
) -> None:
    """Times that BER allows and RFC 5280 does not are read, and servers decide about them."""
    leaf = odd_leaf(client_authority, ODD_CERTIFICATES[name])
    _native(tmp_path, leaf, authority)
    _put_in_force(leaf.write(tmp_path))
    (shown,) = mxcert_runtime.identities()
    assert 2045 - (shown.not_after.month == 12) == shown.not_after.year
    assert leaf.fingerprint == shown.fingerprint


@of_openssl_before_3_5
@pytest.mark.parametrize("name", REFUSED_CERTIFICATES)
def test_certificates_that_openssl_refuses(
    authority: Authority, client_authority: Authority, tmp_path: Path, name: str
) -> None:
    """The twin: what OpenSSL refuses is a fault at activation, which says why."""
    change, reason = REFUSED_CERTIFICATES[name]
    leaf = odd_leaf(client_authority, change)
    with pytest.raises(ssl.SSLError):
        _native(tmp_path, leaf, authority)
    with pytest.raises(SettingsError, match=reason) as caught:
        _put_in_force(leaf.write(tmp_path))
    assert 1 == len(caught.value.faults)
    assert not mxcert_runtime.identities()


def test_a_key_that_has_lost_its_kind(client_authority: Authority, tmp_path: Path) -> None:
    """A key of plain RSA beside a certificate for RSASSA-PSS is told as that."""
    leaf = leaf_of_kind(client_authority, "RSASSA-PSS")
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    parsed = load_pem_private_key(leaf.key, None)
    plain = parsed.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(SettingsError, match="the key has lost its kind on the way"):
        _put_in_force(OddLeaf(leaf.der, plain).write(tmp_path))
