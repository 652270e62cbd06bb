"""pyOpenSSL: when a connection takes what, by which name, and what follows from it."""

from __future__ import annotations

import contextlib
import socket
import threading
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("OpenSSL")

from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

import mxcert_runtime
from mxcert_runtime.contexts.identity_contexts import IdentityRefusedError
from mxcert_runtime.decisions.legs import dialling
from mxcert_runtime.hooks.pyopenssl import contexts as openssl_context
from mxcert_runtime.hooks.pyopenssl.contexts import UnenforceableAuthoritiesError
from tests.clients.openssl_calls import give_certificate
from tests.clients.openssl_dialogue import (
    HOST,
    Dialogue,
    Scene,
    add_authority,
    client_context,
    converse,
    server_context,
    shake_hands,
)
from tests.support.client_files import PASSWORD
from tests.support.pki import Authority, Leaf, rsa_key

_IS_SEALED = hasattr(SSL.Context(SSL.TLS_METHOD), "_used")
VERIFY_FAILED = "certificate verify failed"


def test_chain_goes_along(scene: Scene, gamma: Leaf) -> None:
    """The intermediate of an identity is presented, and nothing of the caller's."""
    scene.activate(leaf=gamma)
    dialogue = scene.converse(client_context(scene.authority))
    assert ("accepted", gamma.fingerprint) == (dialogue.verdict, dialogue.presented)
    assert dialogue.chain_above == 1


def test_context_stays_until_the_request(scene: Scene) -> None:
    """A server that asks for no certificate meets the caller's Context alone."""
    scene.activate()
    scene.server.set_verify(SSL.VERIFY_NONE, lambda *arguments: True)
    dialogue = scene.converse(client_context(scene.authority))
    assert ("accepted", None) == (dialogue.verdict, dialogue.presented)
    assert dialogue.client.get_certificate() is None


def test_threads_that_are_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What OpenSSL calls is the same for all threads: of two, one would be freed under it."""
    make, together = openssl_context._make_answer, threading.Barrier(2)

    def make_together() -> Any:
        together.wait(60)
        return make()

    monkeypatch.setattr(openssl_context, "_made_once", {})
    monkeypatch.setattr(openssl_context, "_make_answer", make_together)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: openssl_context._server_asks(), range(2))
    assert first is second


class TestRefusedIdentity:
    """An identity that OpenSSL refuses ends the connection; it is never made without."""

    @staticmethod
    def _activate(scene: Scene, client_authority: Authority) -> Any:
        weak = client_authority.issue("weak", server=False, signing_key=rsa_key())
        scene.activate(leaf=weak)
        context = client_context(scene.authority)
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=3")
        return context

    def test_at_the_decision(self, scene: Scene, client_authority: Authority) -> None:
        """It is said where the name is set, and again at the handshake."""
        context = self._activate(scene, client_authority)
        client = SSL.Connection(context, None)
        with pytest.raises(IdentityRefusedError, match="EE_KEY_TOO_SMALL"):
            client.set_tlsext_host_name(HOST.encode("ascii"))
        for call in (client.set_connect_state, client.do_handshake):
            with pytest.raises(IdentityRefusedError, match="EE_KEY_TOO_SMALL"):
                call()

    def test_error_that_is_lost(self, scene: Scene, client_authority: Authority) -> None:
        """Where a callback of OpenSSL swallows the error, the handshake ends all the same."""
        context = self._activate(scene, client_authority)

        def name_host(connection: Any, where: int, code: int) -> None:
            if where & SSL.SSL_CB_HANDSHAKE_START:
                with contextlib.suppress(IdentityRefusedError):
                    connection.set_tlsext_host_name(HOST.encode("ascii"))

        context.set_info_callback(name_host)
        client, server = SSL.Connection(context, None), SSL.Connection(scene.server, None)
        client.set_connect_state()
        server.set_accept_state()
        with pytest.raises((SSL.Error, IdentityRefusedError)):
            shake_hands(client, server)
        assert server.get_peer_certificate() is None
        with pytest.raises((SSL.Error, IdentityRefusedError)):
            client.send(b"message")


class TestNames:
    """The rule by name is found, however late the name comes."""

    @staticmethod
    def _naming_late(scene: Scene, host: str) -> Dialogue:
        """As Twisted up to 25.5 does it: SNI at the start of the handshake, in the callback."""
        context = client_context(scene.authority)

        def name_host(connection: Any, where: int, code: int) -> None:
            if where & SSL.SSL_CB_HANDSHAKE_START:
                connection.set_tlsext_host_name(host.encode("ascii"))

        context.set_info_callback(name_host)
        client, server = SSL.Connection(context, None), SSL.Connection(scene.server, None)
        client.set_connect_state()
        server.set_accept_state()
        shake_hands(client, server)
        assert host.encode("ascii") == server.get_servername()
        return Dialogue("accepted", client, server, _presented(server), 0)

    @pytest.mark.parametrize("identities", [1, 2])
    def test_none_holds(self, scene: Scene, identities: int, beta: Leaf) -> None:
        """A rule *none* for a name that comes late withholds what the default offers."""
        leaves = [scene.leaf, beta][:identities]
        offered = [scene.files.identity(f"i{n}", leaf) for n, leaf in enumerate(leaves)]
        none = {"hosts": ["none.test"]}
        mxcert_runtime.activate(settings={"identity": offered, "no_certificate": none})
        assert self._naming_late(scene, "none.test").presented is None
        assert scene.leaf.fingerprint == self._naming_late(scene, "other.test").presented

    def test_rule_and_service(self, scene: Scene, beta: Leaf) -> None:
        """A late name finds its rule; the service that made the connection goes first."""
        rules = [
            scene.files.identity("host", scene.leaf, hosts=[HOST]),
            scene.files.identity("service", beta, services=["Billing"]),
        ]
        mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": rules})
        assert scene.leaf.fingerprint == self._naming_late(scene, HOST).presented
        context = client_context(scene.authority)
        client, server = SSL.Connection(context, None), SSL.Connection(scene.server, None)
        with mxcert_runtime.service("Billing"):
            client.set_connect_state()
        client.set_tlsext_host_name(HOST.encode("ascii"))
        server.set_accept_state()
        shake_hands(client, server)
        assert beta.fingerprint == _presented(server)

    def test_name_past_the_hooks(self, scene: Scene) -> None:
        """A name that nobody saw set is looked at when the server asks."""
        from OpenSSL._util import lib

        none = {"hosts": ["none.test"]}
        identity = scene.files.identity("one", scene.leaf)
        mxcert_runtime.activate(settings={"identity": [identity], "no_certificate": none})
        for host, expected in (("none.test", None), ("other.test", scene.leaf.fingerprint)):
            client = SSL.Connection(client_context(scene.authority), None)
            server = SSL.Connection(scene.server, None)
            client.set_connect_state()
            lib.SSL_set_tlsext_host_name(client._ssl, host.encode("ascii"))
            server.set_accept_state()
            shake_hands(client, server)
            assert expected == _presented(server)

    def test_connect_ex(self, scene: Scene) -> None:
        """``connect_ex`` is for the address that it is given."""
        with socket.socket() as listener, socket.socket() as plain:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            address = listener.getsockname()
            rule = scene.files.identity("one", scene.leaf, hosts=[f"127.0.0.1:{address[1]}"])
            mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [rule]})
            connection = SSL.Connection(client_context(), plain)
            assert connection.connect_ex(address) == 0
            assert "one" == connection._mxcert_attempt.decision.identity.name


@pytest.mark.parametrize(("host", "expected"), [(HOST, [True, False]), ("x.test", [False, True])])
def test_leg_before_the_name(scene: Scene, host: str, expected: list[bool]) -> None:
    """One that is named late holds the leg until then; if it leads elsewhere, no part of it."""
    rule = scene.files.identity("one", scene.leaf, hosts=[f"{HOST}:1", "x.test:1"])
    mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [rule]})
    context = client_context(scene.authority)
    first, second = (SSL.Connection(context, None) for _ in range(2))
    with dialling(HOST, 1):
        first.set_connect_state()
        first.set_tlsext_host_name(host.encode("ascii"))
        second.set_tlsext_host_name(HOST.encode("ascii"))
    decided = [each._mxcert_attempt.decision.identity is not None for each in (first, second)]
    assert expected == decided


class TestObjectsOfPrograms:
    """What programs do with their objects makes no difference."""

    def test_handshake_without_its_connection(self, scene: Scene) -> None:
        """A method that a program keeps is enough to go on with a connection."""
        scene.activate()
        client = SSL.Connection(client_context(scene.authority), None)
        server = SSL.Connection(scene.server, None)
        client.set_tlsext_host_name(HOST.encode("ascii"))
        client.set_connect_state()
        server.set_accept_state()
        steps = client.do_handshake, client.bio_read, client.bio_write
        del client
        for _ in range(4):
            for shake, take, give in ((*steps[:2], server.bio_write), _turned(server, steps[2])):
                with contextlib.suppress(SSL.WantReadError):
                    shake()
                with contextlib.suppress(SSL.WantReadError):
                    give(take(1 << 16))
        assert scene.leaf.fingerprint == _presented(server)

    def test_connection_goes_with_its_last_holder(self, scene: Scene) -> None:
        """No connection is kept by what watches it."""
        scene.activate()
        client = SSL.Connection(client_context(scene.authority), None)
        client.set_tlsext_host_name(HOST.encode("ascii"))
        client.set_connect_state()
        reference = weakref.ref(client)
        del client
        assert reference() is None

    @pytest.mark.parametrize("pinned", [False, True])
    def test_contexts_that_are_equal(self, scene: Scene, pinned: bool) -> None:
        """Contexts of a class without a hash, and equal to each other, are two all the same."""

        class Equal(SSL.Context):  # type: ignore[misc]
            def __eq__(self, other: object) -> bool:
                return isinstance(other, Equal)

            __hash__ = None

        scene.activate(*[scene.authority] * pinned)
        seen = []
        for each in ("one", "two"):
            context = Equal(SSL.TLS_CLIENT_METHOD)
            context.set_verify(SSL.VERIFY_PEER)
            add_authority(context, scene.authority)
            context.set_info_callback(lambda *arguments, each=each: seen.append(each))
            assert scene.leaf.fingerprint == scene.converse(context).presented
            assert {each} == set(seen)
            seen.clear()


def _turned(server: Any, give: Any) -> Any:
    return server.do_handshake, server.bio_read, give


def _presented(server: Any) -> str | None:
    leaf = server.get_peer_certificate()
    return None if leaf is None else leaf.to_cryptography().fingerprint(hashes.SHA256()).hex()


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
