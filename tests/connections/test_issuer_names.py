"""Issuers are compared as names (RFC 5280, section 7.1), not as bytes.

Equal names may differ in string type, case and blanks. OpenSSL verifies chains over them, as the
second test here shows.
"""

from __future__ import annotations

import datetime
import ssl
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from tests.connections.candidates import Candidates, connected
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf, now
from tests.support.server_tls import TlsVersion

_DAY = datetime.timedelta(days=1)
PRINTABLE, UTF8 = _ASN1Type.PrintableString, _ASN1Type.UTF8String


def _spelled(spelling: _ASN1Type, common_name: str) -> x509.Name:
    attribute: Any = x509.NameAttribute(NameOID.COMMON_NAME, common_name, spelling)
    return x509.Name([attribute])


AUTHORITY = _spelled(UTF8, "Spelled CA")
ISSUERS = {
    "same": AUTHORITY,
    "other-string-type": _spelled(PRINTABLE, "Spelled CA"),
    "case-and-blanks": _spelled(UTF8, "SPELLED  ca"),
}


@pytest.fixture
def spelled() -> Authority:
    """The authority that the server names."""
    return _named_authority(AUTHORITY)


@pytest.fixture(params=ISSUERS.values(), ids=ISSUERS)
def candidates(
    request: pytest.FixtureRequest, client_files: ClientFiles, root_a: Authority, spelled: Authority
) -> Candidates:
    """The second one fits, if names are compared as names."""
    leaf = _issued_with_issuer(spelled, request.param)
    return Candidates(client_files, {"a": root_a.issue("a", server=False), "spelled": leaf})


def test_equal_names_fit(
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    context: ssl.SSLContext,
    candidates: Candidates,
    spelled: Authority,
) -> None:
    """The identity is chosen however its certificate spells the issuer."""
    server = openssl_server(version=tls_version, client_authorities=[spelled])
    candidates.activate()
    assert "spelled" == candidates.presented_to(server, context)


def test_server_accepts_it(
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    context: ssl.SSLContext,
    client_files: ClientFiles,
    candidates: Candidates,
    spelled: Authority,
) -> None:
    """The server verifies this very certificate where a rule presents it."""
    server = openssl_server(version=tls_version, client_authorities=[spelled])
    leaf = candidates.leaves["spelled"]
    candidates.activate(identity=[client_files.identity("own", leaf, hosts=["localhost"])])
    with connected(server.port, context) as connection:
        assert [leaf.fingerprint] == server.presented.wait_for(1)
        server.send("over")
        assert b"over\n" == connection.recv(100)


def test_other_name_does_not_fit(
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    context: ssl.SSLContext,
    candidates: Candidates,
) -> None:
    """A name that only begins alike is another one."""
    other = _named_authority(_spelled(UTF8, "Spelled CA 2"))
    server = openssl_server(version=tls_version, client_authorities=[other])
    candidates.activate()
    assert candidates.presented_to(server, context) is None


def _named_authority(subject: x509.Name) -> Authority:
    authority = Authority("To be renamed")
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    authority.certificate = _copied(authority.certificate, builder).sign(
        authority.key, hashes.SHA256()
    )
    return authority


def _issued_with_issuer(authority: Authority, issuer: x509.Name) -> Leaf:
    leaf = authority.issue("spelled", server=False)
    builder = x509.CertificateBuilder().subject_name(leaf.certificate.subject).issuer_name(issuer)
    certificate = _copied(leaf.certificate, builder).sign(authority.key, hashes.SHA256())
    return Leaf(certificate, leaf.key)


def _copied(
    certificate: x509.Certificate, builder: x509.CertificateBuilder
) -> x509.CertificateBuilder:
    builder = builder.public_key(certificate.public_key())  # type: ignore[arg-type]
    builder = builder.serial_number(certificate.serial_number)
    builder = builder.not_valid_before(now() - _DAY).not_valid_after(now() + 90 * _DAY)
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder
