"""A CA that was renewed with another key under the key identifier of the one before."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import pki
from tests.support.server_tls import ServerTls
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

_HOST = "server.test"
_NUMBER = b"the one number"

_ASK = """
import json, ssl, sys, urllib.request
before = "cryptography.x509" in sys.modules
import mxcert_runtime
context = ssl.create_default_context(cafile={trusted!r})
answer = json.load(urllib.request.urlopen({url!r}, context=context, timeout=60))
print(json.dumps([before, answer["fingerprint"]]))
"""


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuers_key: pki.PrivateKey,
    days: int,
    *,
    issuers_number: bytes | None = _NUMBER,
) -> x509.Certificate:
    """Of a CA, whose key has the number; of a leaf otherwise."""
    is_authority = subject == pki.name("CA")
    own = x509.SubjectKeyIdentifier(_NUMBER if is_authority else b"of the leaf")
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(pki.now() - datetime.timedelta(days=1))
    builder = builder.not_valid_after(pki.now() + datetime.timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    builder = builder.add_extension(own, critical=False)
    if issuers_number is not None:
        named = x509.AuthorityKeyIdentifier(issuers_number, None, None)
        builder = builder.add_extension(named, critical=False)
    assert isinstance(issuers_key, ec.EllipticCurvePrivateKey)
    return builder.sign(issuers_key, hashes.SHA256())


def _keys(count: int) -> list[ec.EllipticCurvePrivateKey]:
    return [ec.generate_private_key(ec.SECP256R1()) for _ in range(count)]


@pytest.mark.parametrize("is_first", [True, False])
def test_the_signature_tells_which_has_issued(tmp_path: Path, is_first: bool) -> None:
    """The server gets the CA that signed the leaf, and not the later one of its number."""
    root = pki.Authority("Root")
    own, *keys = _keys(3)
    subject, issuer = pki.name("client"), pki.name("CA")
    both = [
        _certificate(issuer, key, root.certificate.subject, root.key, days, issuers_number=None)
        for key, days in zip(keys, (100, 900))
    ]
    old = keys[0]
    leaf = pki.Leaf(_certificate(subject, own, issuer, old, 90), own)
    chain = tuple(both if is_first else both[::-1])

    assert [False, leaf.fingerprint] == _asked(tmp_path, root, leaf, chain)


def _asked(
    folder: Path, root: pki.Authority, leaf: pki.Leaf, chain: tuple[x509.Certificate, ...]
) -> object:
    """Whether cryptography's readers were there before, and what the server saw."""
    servers = pki.Authority("CA of servers")
    (folder / "servers.pem").write_bytes(servers.pem)
    (folder / "all.pem").write_bytes(leaf.pem() + pki.pem(*chain) + leaf.key_pem())
    (folder / "mxcert.toml").write_text(
        f"[[identity]]\ncertificate = 'all.pem'\nhosts = ['{_HOST}']\n", "utf-8"
    )
    with TlsServer(ServerTls(servers.issue("server", hosts=[_HOST]), (root,))) as server:
        code = _ASK.format(trusted=str(folder / "servers.pem"), url=server.url(_HOST, "/"))
        environment = {"MXCERT_CONFIG": str(folder / "mxcert.toml")}
        found: object = run_client(code, environment=environment, host_patterns=["*.test"]).json()
    return found
