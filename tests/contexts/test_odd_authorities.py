"""Authorities that OpenSSL reads are trusted by both engines, whatever cryptography reads."""

from __future__ import annotations

import json
import ssl
import warnings
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.errors import SettingsError
from tests.clients import openssl_calls
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.odd_certificates import (
    COMMON_NAME,
    PRINTABLE,
    SERIAL,
    T61,
    Change,
    OddAuthority,
    of_version_1,
    replaced,
    self_named,
)
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch_text
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

ODD: dict[str, Change] = {
    "PrintableString with &": self_named((COMMON_NAME, PRINTABLE, b"A & B")),
    "T61String of 8 bits": self_named((COMMON_NAME, T61, "Compañía".encode("latin-1"))),
    "negative serial": replaced(SERIAL, bytes.fromhex("0203ff1234")),
    "serial 0": replaced(SERIAL, bytes.fromhex("020100")),
    "version 1": of_version_1,
}


@pytest.fixture(scope="module", params=ODD)
def odd(request: pytest.FixtureRequest) -> OddAuthority:
    return OddAuthority.make(ODD[request.param])


@pytest.fixture
def server(tls_server: ServerFactory[TlsServer], odd: OddAuthority) -> TlsServer:
    """A server below the odd authority."""
    leaf: Any = odd.issue("localhost")
    return tls_server(leaf=leaf)


@pytest.fixture
def bundle(tmp_path: Path, odd: OddAuthority, authority: Authority) -> str:
    """The odd one beside a good one."""
    path = tmp_path / "bundle.pem"
    path.write_bytes(authority.pem + odd.pem)
    return str(path)


@pytest.fixture
def no_default_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Default trust is there, and nobody is in it."""
    (tmp_path / "default.pem").write_bytes(Authority("Default").pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "default.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))


def _put_in_force(**settings: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mxcert_runtime.activate(settings=settings)


def _by_ssl(url: str) -> Any:
    context = ssl.create_default_context()
    # Python 3.13 is strict by default, and then refuses such authorities by itself.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return json.loads(fetch_text(url, context))


def _by_pyopenssl(url: str) -> Any:
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_default_verify_paths()
    context.set_verify(SSL.VERIFY_PEER, lambda *arguments: bool(arguments[-1]))
    return openssl_calls.over_socket(url, context)


@pytest.mark.usefixtures("no_default_trust")
def test_extra_authorities(server: TlsServer, bundle: str, odd: OddAuthority) -> None:
    """A server below one is accepted where it joins default trust, and refused without it."""
    url = server.url("localhost")
    _put_in_force(ca=[bundle])
    assert _by_ssl(url)["fingerprint"] is None
    assert _by_pyopenssl(url)["fingerprint"] is None
    mxcert_runtime.deactivate()
    with pytest.raises(ssl.SSLCertVerificationError):
        _by_ssl(url)


@pytest.mark.usefixtures("no_default_trust")
def test_authorities_of_a_rule(
    server: TlsServer, bundle: str, client_files: ClientFiles, alpha: Leaf, authority: Authority
) -> None:
    """A server is verified by pinned CAs of any kind; with others pinned it is refused."""
    url = server.url("localhost")
    entry = client_files.identity("alpha", alpha, hosts=["localhost"])
    _put_in_force(identity=[{**entry, "ca": [bundle]}])
    assert _by_ssl(url)
    assert _by_pyopenssl(url)
    _put_in_force(identity=[{**entry, "ca": [str(client_files.authority(authority))]}])
    with pytest.raises(ssl.SSLCertVerificationError):
        _by_ssl(url)


def test_check(bundle: str, odd: OddAuthority) -> None:
    """`mxcert check` lists them, with no warning of any library."""
    script = """
        import sys
        from mxcert_runtime.cli import main
        sys.exit(main(["check", "--json"]))
    """
    done = run_client(script, environment={"CACertificates": bundle}, options=["-Walways"])
    assert "" == done.stderr
    assert 2 == len(json.loads(done.stdout)["extra_authorities"])


def test_one_that_openssl_cannot_read(tmp_path: Path, authority: Authority) -> None:
    """The twin: what OpenSSL refuses is a fault with the number of the certificate."""
    broken = OddAuthority.make(replaced(SERIAL, bytes.fromhex("0203000005")))
    path = tmp_path / "bundle.pem"
    path.write_bytes(authority.pem + broken.pem)
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context(cadata=broken.der)
    with pytest.raises(SettingsError, match=r"certificate 2 of .* is damaged"):
        _put_in_force(ca=[str(path)])
