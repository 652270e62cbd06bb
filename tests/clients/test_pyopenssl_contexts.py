"""pyOpenSSL: what of a program's Context counts for its connections, those of DTLS too."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

pytest.importorskip("OpenSSL")

from OpenSSL import SSL

from mxcert_runtime.hooks.pyopenssl.contexts import UnenforceableAuthoritiesError
from tests.clients.openssl_calls import give_certificate
from tests.clients.openssl_dialogue import (
    HOST,
    Scene,
    add_authority,
    client_context,
    converse,
    server_context,
)
from tests.support.client_files import PASSWORD
from tests.support.pki import Authority, Leaf

_IS_SEALED = hasattr(SSL.Context(SSL.TLS_METHOD), "_used")
VERIFY_FAILED = "certificate verify failed"


class TestContexts:
    def test_another_context(self, scene: Scene, authority: Authority) -> None:
        """A connection that the program puts on another Context keeps its identity."""
        scene.activate()
        context = client_context(Authority("Other root"))

        def arrange(connection: Any) -> None:
            connection.set_tlsext_host_name(HOST.encode("ascii"))
            connection.set_context(client_context(authority))

        dialogue = scene.converse(context, arrange=arrange)
        assert ("accepted", scene.leaf.fingerprint) == (dialogue.verdict, dialogue.presented)

    @pytest.mark.parametrize("pinned", [False, True])
    def test_own_certificate_of_another_context(
        self, scene: Scene, beta: Leaf, pinned: bool
    ) -> None:
        """Where the other Context has a certificate, that is presented."""
        scene.activate(*[scene.authority] * pinned)
        other = client_context(scene.authority)
        give_certificate(other, beta)

        def arrange(connection: Any) -> None:
            connection.set_tlsext_host_name(HOST.encode("ascii"))
            connection.set_context(other)

        dialogue = scene.converse(client_context(scene.authority), arrange=arrange)
        assert ("accepted", beta.fingerprint) == (dialogue.verdict, dialogue.presented)

    @pytest.mark.skipif(_IS_SEALED, reason="this pyOpenSSL lets nobody change a used Context")
    def test_callback_of_a_context_that_changes(self, scene: Scene) -> None:
        """A callback that is exchanged between two connections, where that is allowed."""
        scene.activate()
        context = client_context(scene.authority)
        seen: list[int] = []
        for number in (1, 2):
            context.set_info_callback(lambda *arguments, number=number: seen.append(number))
            assert scene.leaf.fingerprint == scene.converse(context).presented
            assert {number} == set(seen)
            seen.clear()

    def test_passphrase_callback(self, scene: Scene, beta: Leaf, tmp_path: Any) -> None:
        """A key that the program loads with its callback is its own, and is presented."""
        scene.activate()
        certificate, key = beta.write_pem(tmp_path, PASSWORD)
        context = client_context(scene.authority)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.set_passwd_cb(lambda *arguments: PASSWORD.encode("utf-8"))
            context.use_certificate_file(str(certificate))
            context.use_privatekey_file(str(key))
        assert beta.fingerprint == scene.converse(context).presented

    @pytest.mark.parametrize("expected", [HOST, "other.test"])
    @pytest.mark.parametrize("pinned", [False, True])
    def test_names_of_the_context(self, scene: Scene, expected: str, pinned: bool) -> None:
        """The host name that a program lets OpenSSL verify is verified."""
        from OpenSSL._util import lib

        scene.activate(*[scene.authority] * pinned)
        context = client_context(scene.authority)
        parameters = lib.SSL_CTX_get0_param(context._context)
        lib.X509_VERIFY_PARAM_set1_host(parameters, expected.encode("ascii"), len(expected))
        verdict = "accepted" if expected == HOST else VERIFY_FAILED
        assert verdict == scene.converse(context).verdict

    def test_modes(self, scene: Scene, client_authority: Authority) -> None:
        """An automatic chain is made as without us, unless the program turns it off."""
        below = client_authority.intermediate("Kept back")
        whole = below.issue("whole", server=False)
        scene.activate(leaf=Leaf(whole.certificate, whole.key, ()))
        lengths = []
        for no_auto_chain in (0, 0x8):
            context = client_context(scene.authority)
            add_authority(context, below)
            context.set_mode(no_auto_chain)
            lengths.append(scene.converse(context).chain_above)
        assert [1, 0] == lengths

    def test_sessions(self, scene: Scene) -> None:
        """A session is resumed with its session id context, cache mode and timeout."""
        from OpenSSL._util import lib

        scene.activate()
        context = client_context(scene.authority)
        context.set_session_id(b"mine")
        context.set_session_cache_mode(SSL.SESS_CACHE_BOTH)
        context.set_timeout(100)
        first = scene.converse(context)
        session = first.client.get_session()
        first.client.shutdown()
        second = scene.converse(context, arrange=lambda each: each.set_session(session))
        presented = first.presented, second.presented
        assert (scene.leaf.fingerprint, scene.leaf.fingerprint) == presented
        assert (0, 1) == tuple(lib.SSL_session_reused(d.client._ssl) for d in (first, second))
        assert context.get_timeout() == 100


class TestDatagrams:
    """DTLS, as WebRTC speaks it."""

    @staticmethod
    def _contexts(scene: Scene) -> tuple[Any, Any]:
        server = server_context(scene.server_leaf, scene.version, SSL.DTLS_METHOD)
        client = client_context(scene.authority, method=SSL.DTLS_METHOD)
        for context in (client, server):
            context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_32")
        return client, server

    def test_datagrams(self, scene: Scene) -> None:
        """An identity is presented, and SRTP is as it was."""
        scene.activate()
        client, server = self._contexts(scene)
        dialogue = converse(client, server, HOST)
        assert ("accepted", scene.leaf.fingerprint) == (dialogue.verdict, dialogue.presented)
        assert b"SRTP_AES128_CM_SHA1_32" == dialogue.client.get_selected_srtp_profile()

    def test_authorities(self, scene: Scene) -> None:
        """Pinned CAs that cannot be enforced are refused, with the remedy."""
        scene.activate(scene.authority)
        client, server = self._contexts(scene)
        with pytest.raises(UnenforceableAuthoritiesError, match=r"DTLS.*take `ca` out of the rule"):
            converse(client, server, HOST)
