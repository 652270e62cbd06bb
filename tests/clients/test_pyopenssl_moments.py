"""pyOpenSSL: when a connection takes what, in which store, and what follows from it."""

from __future__ import annotations

import socket
import warnings
from typing import Any

import pytest

pytest.importorskip("OpenSSL")

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL, crypto

import mxcert_runtime
from mxcert_runtime.openssl_context import UnenforceableAuthoritiesError
from mxcert_runtime.openssl_measures import measure_security_level
from tests.clients.openssl_calls import give_certificate
from tests.clients.openssl_dialogue import (
    Dialogue,
    add_authority,
    client_context,
    converse,
    server_context,
    shake_hands,
)
from tests.support.client_files import PASSWORD, ClientFiles
from tests.support.pki import Authority, Leaf, name
from tests.support.server_tls import TlsVersion

HOST = "alpha.test"
Flags = crypto.X509StoreFlags
_IS_SEALED = hasattr(SSL.Context(SSL.TLS_METHOD), "_used")
VERIFY_FAILED = "certificate verify failed"


class Scene:
    """A server for HOST, and settings with a rule for it."""

    def __init__(
        self, authority: Authority, version: TlsVersion, files: ClientFiles, leaf: Leaf
    ) -> None:
        self.authority, self.version, self.files, self.leaf = authority, version, files, leaf
        self.server_leaf = authority.issue("server", hosts=[HOST])
        self.server = server_context(self.server_leaf, version)

    def activate(self, *authorities: Authority, leaf: Leaf | None = None) -> None:
        """A rule for HOST, with authorities that alone count if there are any."""
        rule = self.files.identity("one", leaf or self.leaf, hosts=[HOST], authorities=authorities)
        mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [rule]})

    def converse(self, context: Any, **more: Any) -> Dialogue:
        """A handshake with the server."""
        return converse(context, self.server, HOST, **more)


@pytest.fixture
def scene(
    authority: Authority, tls_version: TlsVersion, client_files: ClientFiles, alpha: Leaf
) -> Scene:
    return Scene(authority, tls_version, client_files, alpha)


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
            assert "one" == connection._mxcert_standing.decision.identity.name


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
        """Authorities that alone count are refused, with the remedy."""
        scene.activate(scene.authority)
        client, server = self._contexts(scene)
        with pytest.raises(UnenforceableAuthoritiesError, match=r"DTLS.*take `ca` out of the rule"):
            converse(client, server, HOST)
