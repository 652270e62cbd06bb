"""pyOpenSSL: when a connection takes what, by which name, and what follows from it."""

from __future__ import annotations

import contextlib
import socket
import threading
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
from tests.clients.openssl_dialogue import (
    HOST,
    Dialogue,
    Scene,
    add_authority,
    client_context,
    shake_hands,
)
from tests.support.pki import Authority, Leaf, rsa_key


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
