"""``mxcert_runtime.material``: what servers see of a client that takes it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

import mxcert_runtime
from mxcert_runtime.connections import TlsMaterial
from tests.connections.material.reading import HOST, Activate
from tests.support.factories import ServerFactory
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch
from tests.support.server_tls import Demand
from tests.support.tls_server import TlsServer


def own_tls(material: TlsMaterial) -> ssl.SSLContext:
    """A client as C libraries are: it takes paths, and a password where there is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    password = material.key_path_password.reveal()
    context.load_cert_chain(material.certificate_path, material.key_path, password or None)
    context.load_verify_locations(material.ca_path)
    return context


class TestHandedOver:
    def test_by_paths(
        self,
        activate: Activate,
        tls_server: ServerFactory[TlsServer],
        loopback_names: LoopbackNames,
        gamma: Leaf,
        beta: Leaf,
    ) -> None:
        """The server sees the identity that the rule gives this host, with its chain."""
        server = tls_server(hosts=[HOST], demand=Demand.DEMAND)
        activate([("other", beta, ["other.test"]), ("gamma", gamma, [f"{HOST}:{server.port}"])])
        with mxcert_runtime.material(host=HOST, port=server.port) as material:
            fetch(server.url(HOST), own_tls(material))
            assert "gamma" == material.identity.name
        seen = server.seen.wait_for(1)
        assert [gamma.fingerprint] == [each.fingerprint for each in seen]
        assert [seen[0].chain_length] in ([2], [None])

    @pytest.mark.usefixtures("without_memory")
    def test_by_an_encrypted_file(
        self,
        activate: Activate,
        tls_server: ServerFactory[TlsServer],
        temporary: Path,
        alpha: Leaf,
    ) -> None:
        """Without files in memory the key is encrypted on the disk, and serves all the same."""
        server = tls_server(demand=Demand.DEMAND)
        activate([("alpha", alpha, ["localhost"])])
        with mxcert_runtime.material(host="localhost", port=server.port) as material:
            assert b"ENCRYPTED PRIVATE KEY" in Path(material.key_path).read_bytes()
            assert not Path(material.key_path).is_symlink()
            fetch(server.url(), own_tls(material))
        assert [alpha.fingerprint] == [each.fingerprint for each in server.seen.wait_for(1)]
        assert [] == list(temporary.iterdir())

    @pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
    def test_in_memory(
        self, activate: Activate, client_authority: Authority, temporary: Path, kind: str
    ) -> None:
        """PEM in three forms: chain, key under the password of the block, key in clear."""
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        leaf = client_authority.intermediate().issue("in memory", key=kind)
        activate([("x", leaf, [HOST])])
        with mxcert_runtime.material(host=HOST) as material:
            assert leaf.pem() == material.certificate_pem
            password = material.password.reveal().encode()
            keys = [
                load_pem_private_key(material.encrypted_key_pem, password),
                load_pem_private_key(material.clear_key_pem().reveal(), None),
            ]
            assert [] == list(temporary.iterdir())
        assert [leaf.key.public_key()] * 2 == [each.public_key() for each in keys]

    def test_a_password_of_one_use(self, activate: Activate, alpha: Leaf) -> None:
        """Another block has another password."""
        activate([("alpha", alpha, [HOST])])
        passwords = set()
        for _ in range(2):
            with mxcert_runtime.material(host=HOST) as material:
                passwords.add(material.password.reveal())
        assert 2 == len(passwords)

    def test_a_bad_server(
        self, activate: Activate, tls_server: ServerFactory[TlsServer], alpha: Leaf
    ) -> None:
        """The CAs that go with it refuse a server of another CA, which then sees nothing."""
        server = tls_server(demand=Demand.DEMAND)
        activate([("alpha", alpha, ["localhost"])], authorities=[Authority("another")])
        with mxcert_runtime.material(host="localhost", port=server.port) as material:
            context = own_tls(material)
            with pytest.raises(ssl.SSLCertVerificationError):
                fetch(server.url(), context)
        server.failures.wait_for(1)
        assert [] == server.seen
