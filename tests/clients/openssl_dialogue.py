"""Handshakes of ``OpenSSL.SSL`` with both sides in one thread, and what each of them saw.

Both ends are OpenSSL and speak TLS in full; a server of pyOpenSSL can do what Python's ``ssl``
cannot: staple OCSP answers, choose by ALPN late, speak DTLS.
"""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto

import mxcert_runtime
from tests.clients.openssl_calls import give_certificate
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import TlsVersion

VERSIONS = {TlsVersion.TLS12: SSL.TLS1_2_VERSION, TlsVersion.TLS13: SSL.TLS1_3_VERSION}
_LARGEST = 1 << 16
#: the name of a :class:`Scene`'s server
HOST = "alpha.test"


@dataclass(frozen=True)
class Dialogue:
    """``verdict`` is "accepted", or what OpenSSL or the program says of the failure."""

    verdict: str
    client: Any
    server: Any
    #: SHA-256 of the client's leaf, where it presented one, and how many certificates came with it
    presented: str | None
    chain_above: int


def add_authority(context: Any, authority: Authority) -> None:
    """Let a context trust an authority."""
    context.get_cert_store().add_cert(crypto.X509.from_cryptography(authority.certificate))


def client_context(*authorities: Authority, method: int = SSL.TLS_CLIENT_METHOD) -> Any:
    """A context that verifies servers by these authorities."""
    context = SSL.Context(method)
    for authority in authorities:
        add_authority(context, authority)
    context.set_verify(SSL.VERIFY_PEER, lambda *arguments: bool(arguments[-1]))
    return context


def server_context(leaf: Leaf, version: TlsVersion, method: int = SSL.TLS_METHOD) -> Any:
    """A context that asks for a certificate and takes any."""
    context = SSL.Context(method)
    give_certificate(context, leaf)
    for certificate in leaf.chain:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.add_extra_chain_cert(crypto.X509.from_cryptography(certificate))
    if method == SSL.TLS_METHOD:
        context.set_min_proto_version(VERSIONS[version])
        context.set_max_proto_version(VERSIONS[version])
    context.set_verify(SSL.VERIFY_PEER, lambda *arguments: True)
    context.set_session_id(b"tests")
    return context


def converse(
    context: Any,
    server: Any,
    host: str,
    arrange: Callable[[Any], object] = lambda connection: None,
) -> Dialogue:
    """A handshake and one message each way; ``arrange`` gets the client's connection first."""
    client_side, server_side = SSL.Connection(context, None), SSL.Connection(server, None)
    server_side.set_accept_state()
    arrange(client_side)
    try:
        client_side.set_tlsext_host_name(host.encode("ascii"))
        client_side.set_connect_state()
        shake_hands(client_side, server_side)
        verdict = "accepted"
    except SSL.Error as error:
        verdict = error.args[0][0][2] if error.args else repr(error)
    chain = server_side.get_peer_cert_chain() or ()
    return Dialogue(verdict, client_side, server_side, _fingerprint(server_side), len(chain))


def _fingerprint(server: Any) -> str | None:
    leaf = server.get_peer_certificate()
    if leaf is None:
        return None
    return hashlib.sha256(leaf.to_cryptography().public_bytes(Encoding.DER)).hexdigest()


def shake_hands(client: Any, server: Any) -> None:
    """Let both come to an end of the handshake, and let each read one message."""
    for _ in range(6):
        for one, other in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                one.do_handshake()
            move(one, other)
    for one, other in ((client, server), (server, client)):
        one.send(b"message")
        move(one, other)
        assert b"message" == other.recv(100)


def move(one: Any, other: Any) -> None:
    """Hand over what one side has written."""
    with contextlib.suppress(SSL.WantReadError):
        while True:
            other.bio_write(one.bio_read(_LARGEST))


def crl(authority: Authority, revoked: Sequence[Leaf] = ()) -> Any:
    """A CRL of an authority, as a store takes it."""
    from cryptography import x509

    return x509.load_pem_x509_crl(authority.revoke(*revoked))


class Scene:
    """A server for HOST, and settings with a rule for it."""

    def __init__(
        self, authority: Authority, version: TlsVersion, files: ClientFiles, leaf: Leaf
    ) -> None:
        self.authority, self.version, self.files, self.leaf = authority, version, files, leaf
        self.server_leaf = authority.issue("server", hosts=[HOST])
        self.server = server_context(self.server_leaf, version)

    def activate(self, *authorities: Authority, leaf: Leaf | None = None) -> None:
        """A rule for HOST, with pinned CAs if there are any."""
        rule = self.files.identity("one", leaf or self.leaf, hosts=[HOST], authorities=authorities)
        mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [rule]})

    def converse(self, context: Any, **more: Any) -> Dialogue:
        """A handshake with the server."""
        return converse(context, self.server, HOST, **more)
