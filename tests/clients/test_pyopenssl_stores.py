"""pyOpenSSL: `ca` of a rule replaces a store, and what that store demands holds all the same."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("OpenSSL")

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL, crypto

from mxcert_runtime.hooks.pyopenssl.contexts import UnenforceableAuthoritiesError
from mxcert_runtime.hooks.pyopenssl.measures import measure_security_level
from tests.clients.openssl_dialogue import (
    HOST,
    Scene,
    client_context,
    server_context,
    shake_hands,
)
from tests.support.pki import Authority, Leaf, name

Flags = crypto.X509StoreFlags
VERIFY_FAILED = "certificate verify failed"


class TestReplacedStore:
    """`ca` of a rule replaces the store; what the store demands holds all the same."""

    @pytest.mark.parametrize("flags", [Flags.CRL_CHECK, Flags.CRL_CHECK | Flags.CRL_CHECK_ALL])
    @pytest.mark.parametrize("is_older", [False, True], ids=["new", "older"])
    def test_revocation(self, scene: Scene, flags: int, is_older: bool) -> None:
        """A check of revocation without a CRL refuses, whatever the age of the Context."""
        context = client_context(scene.authority)
        if is_older:
            context.get_cert_store().set_flags(flags)
        scene.activate(scene.authority)
        if not is_older:
            context.get_cert_store().set_flags(flags)
        dialogue = scene.converse(context)
        assert (VERIFY_FAILED, None) == (dialogue.verdict, dialogue.presented)

    def test_flags_that_come_later(self, scene: Scene) -> None:
        """A flag that is set after a first connection holds for the second."""
        scene.activate(scene.authority)
        context = client_context()
        assert scene.converse(context).presented == scene.leaf.fingerprint
        context.get_cert_store().set_flags(Flags.CRL_CHECK)
        assert VERIFY_FAILED == scene.converse(context).verdict

    @pytest.mark.parametrize("is_strict", [False, True], ids=["lax", "strict"])
    def test_strict(self, scene: Scene, is_strict: bool) -> None:
        """A chain that RFC 5280 does not allow is refused where the store is strict."""
        loose = _loosely_issued(scene.authority)
        scene.server = server_context(loose, scene.version)
        scene.activate(scene.authority)
        context = client_context()
        if is_strict:
            context.get_cert_store().set_flags(Flags.X509_STRICT)
        expected = (VERIFY_FAILED, None) if is_strict else ("accepted", scene.leaf.fingerprint)
        dialogue = scene.converse(context)
        assert expected == (dialogue.verdict, dialogue.presented)

    def test_strict_and_right(self, scene: Scene) -> None:
        """The twin: a chain that RFC 5280 allows is accepted."""
        scene.activate(scene.authority)
        context = client_context()
        context.get_cert_store().set_flags(Flags.X509_STRICT)
        assert scene.leaf.fingerprint == scene.converse(context).presented

    @pytest.mark.parametrize("is_partial", [False, True])
    def test_partial_chain(self, scene: Scene, is_partial: bool) -> None:
        """An intermediate alone is enough where the store says so, and nowhere else."""
        below = scene.authority.intermediate()
        scene.server = server_context(below.issue("server", hosts=[HOST]), scene.version)
        scene.activate(below)
        context = client_context()
        if is_partial:
            context.get_cert_store().set_flags(Flags.PARTIAL_CHAIN)
        expected = ("accepted", scene.leaf.fingerprint) if is_partial else (VERIFY_FAILED, None)
        dialogue = scene.converse(context)
        assert expected == (dialogue.verdict, dialogue.presented)

    def test_error_that_is_lost(self, scene: Scene) -> None:
        """Where OpenSSL swallows the error, in a callback, no server is trusted all the same."""
        scene.activate(scene.authority)
        context = client_context(scene.authority)
        context.get_cert_store().set_flags(Flags.EXPLICIT_POLICY)
        errors = []

        def name_host(connection: Any, where: int, code: int) -> None:
            if where & SSL.SSL_CB_HANDSHAKE_START:
                try:
                    connection.set_tlsext_host_name(HOST.encode("ascii"))
                except UnenforceableAuthoritiesError as error:
                    errors.append(error)

        context.set_info_callback(name_host)
        client, server = SSL.Connection(context, None), SSL.Connection(scene.server, None)
        client.set_connect_state()
        server.set_accept_state()
        with pytest.raises((SSL.Error, UnenforceableAuthoritiesError)):
            shake_hands(client, server)
        assert len(errors) == 1
        with pytest.raises(UnenforceableAuthoritiesError, match="take that demand out"):
            client.do_handshake()
        assert server.get_peer_certificate() is None

    @pytest.mark.parametrize("level", range(6))
    def test_security_level(self, level: int) -> None:
        """The security level of a Context is measured."""
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_cipher_list(f"DEFAULT:@SECLEVEL={level}".encode("ascii"))
        assert level == measure_security_level(context)


def _loosely_issued(authority: Authority) -> Leaf:
    """A leaf without the identifier of its issuer's key, which only a strict check minds."""
    leaf = authority.issue("loose", hosts=[HOST])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("loose"))
        .issuer_name(authority.certificate.subject)
        .public_key(leaf.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(leaf.certificate.not_valid_before_utc)
        .not_valid_after(leaf.certificate.not_valid_after_utc)
    )
    return Leaf(builder.sign(authority.key, hashes.SHA256()), leaf.key, ())
