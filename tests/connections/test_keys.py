"""Key types and signature algorithms that a server accepts choose among the identities."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.connections.candidates import Candidates, ContextMaker
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import TlsVersion

OpensslServers = ServerFactory[OpensslServer]
TLS12, TLS13 = TlsVersion.TLS12, TlsVersion.TLS13

ORDER = ["rsa", "p384", "p256", "ed25519"]
CASES = [
    (TLS12, "RSA+SHA256", ORDER, "rsa"),
    (TLS12, "RSA-PSS+SHA256", ORDER, "rsa"),
    (TLS13, "RSA-PSS+SHA256", ORDER, "rsa"),
    (TLS13, "RSA-PSS+SHA256", ORDER[::-1], "rsa"),
    (TLS12, "RSA+SHA256", ORDER[::-1], "rsa"),
    # bound to no curve
    (TLS12, "ECDSA+SHA256", ORDER, "p384"),
    (TLS12, "ECDSA+SHA384", ORDER[::-1], "p256"),
    # bound to a curve
    (TLS13, "ECDSA+SHA256", ORDER, "p256"),
    (TLS13, "ECDSA+SHA384", ORDER[::-1], "p384"),
    (TLS12, "ed25519", ORDER, "ed25519"),
    (TLS13, "ed25519", ORDER, "ed25519"),
    # several fit: the settings' order, not the server's
    (TLS12, "ed25519:RSA+SHA256", ORDER, "rsa"),
    (TLS13, "ed25519:ECDSA+SHA256:ECDSA+SHA384", ORDER, "p384"),
    (TLS13, "ECDSA+SHA384:ECDSA+SHA256", ORDER[::-1], "p256"),
    # nothing fits
    (TLS12, "RSA+SHA256", ["p256", "ed25519"], None),
    (TLS13, "RSA-PSS+SHA256", ["p256", "p384"], None),
    (TLS13, "ECDSA+SHA512", ORDER, None),
    (TLS12, "ECDSA+SHA256", ["rsa", "ed25519"], None),
    (TLS13, "ed25519", ["rsa", "p256", "p384"], None),
]


@pytest.fixture(scope="session")
def leaves(root_a: Authority) -> dict[str, Leaf]:
    """One leaf for each type of key, all of the same authority."""
    p384 = ec.generate_private_key(ec.SECP384R1())
    return {
        "rsa": root_a.issue("rsa", server=False, key="rsa"),
        "p256": root_a.issue("p256", server=False),
        "p384": root_a.issue("p384", server=False, signing_key=p384),
        "ed25519": root_a.issue("ed25519", server=False, key="ed25519"),
    }


@pytest.mark.parametrize(("version", "accepted", "order", "expected"), CASES)
def test_key_types_choose(
    openssl_server: OpensslServers,
    client_context: ContextMaker,
    client_files: ClientFiles,
    leaves: dict[str, Leaf],
    root_a: Authority,
    version: TlsVersion,
    accepted: str,
    order: list[str],
    expected: str | None,
) -> None:
    """The first of the settings whose key can sign as the server accepts; else none."""
    candidates = Candidates(client_files, {name: leaves[name] for name in order})
    options = ["-client_sigalgs", accepted]
    server = openssl_server(version=version, client_authorities=[root_a], options=options)
    assert expected == candidates.presented_to(server, client_context(candidates.activate))


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_issuer_and_key(
    openssl_server: OpensslServers,
    client_context: ContextMaker,
    client_files: ClientFiles,
    leaves: dict[str, Leaf],
    root_a: Authority,
    root_b: Authority,
    version: TlsVersion,
) -> None:
    """Both must fit: one has the wrong issuer, one the wrong key, and the third one fits."""
    mixed = {
        "other issuer": root_b.issue("other", server=False, key="ed25519"),
        "other key": leaves["p256"],
        "fits": leaves["ed25519"],
    }
    candidates = Candidates(client_files, mixed)
    options = ["-client_sigalgs", "ed25519"]
    server = openssl_server(version=version, client_authorities=[root_a], options=options)
    assert "fits" == candidates.presented_to(server, client_context(candidates.activate))
