"""Who takes part: authorities, identities, the program's own certificate, peers and a proxy.

A peer is told apart by who signed its certificate, and by what it asks of its clients. Its answer
to each request is the name of the client's certificate that it saw in the handshake.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL
from OpenSSL.crypto import X509

from tests.support.client_files import ClientFiles
from tests.support.listener import Listener
from tests.support.pki import Authority, Leaf
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import Demand, ServerTls

#: where a program's dialled name is not known: a socket that was connected by its address
ADDRESS = "127.0.0.1"
#: what a peer's certificate is for; ``wrong.test`` leads there too, and is not in it
HOSTS = ("a.test", "b.test", "x.zone.test", "y.zone.test", "proxy.test", ADDRESS)
WRONG_HOST = "wrong.test"
PROXY_HOST = "proxy.test"

SERVER_ROOTS = ("R", "S")
#: identities of the settings, in their order, and who issued them
ISSUERS: Mapping[str, str] = {"one": "A", "two": "A", "three": "B"}
OWN, OWN_ISSUER = "own", "A"

#: a peer's name: who signed it, and whose clients it asks for (``any``: it names no issuer)
PEERS = ("R-any", "R-A", "R-B", "R-not", "S-any", "S-A")


@dataclass(frozen=True)
class Peer:
    """An HTTPS server in this process that takes whatever certificate it is shown."""

    name: str
    listener: Listener

    @property
    def port(self) -> int:
        """The TCP port."""
        return self.listener.port


def signed_by(peer: str) -> str:
    """The server root of a peer."""
    return peer.partition("-")[0]


def asked_of(peer: str) -> str | None:
    """The issuer that a peer names, ``any`` where it names none; ``None``: it does not ask."""
    asked = peer.partition("-")[2]
    return None if asked == "not" else asked


@dataclass
class Cast:
    """All of them, for as long as the context of :func:`on_stage` lasts."""

    folder: Path
    files: ClientFiles
    roots: dict[str, Authority]
    leaves: dict[str, Leaf]
    names: dict[str, str]
    peers: dict[str, Peer]
    proxies: dict[str, ConnectProxy]

    def path(self, roots: Sequence[str]) -> str:
        """A bundle of these roots."""
        path = self.folder / f"{''.join(roots) or 'nobody'}.pem"
        if not path.exists():
            path.write_bytes(b"".join(self.roots[each].pem for each in roots))
        return str(path)

    def default_bundle(self) -> str:
        """A file with root R that is nobody's choice, for default trust."""
        path = self.folder / "default.pem"
        path.write_bytes(self.roots["R"].pem)
        return str(path)

    def own_files(self) -> tuple[str, str]:
        """Certificate and key of the program's own."""
        certificate, key = self.leaves[OWN].write_pem(self.folder, OWN)
        return str(certificate), str(key)


@contextlib.contextmanager
def on_stage(folder: Path) -> Iterator[Cast]:
    """Make the certificates and start the servers."""
    roots = {each: Authority(f"Root {each}") for each in (*SERVER_ROOTS, "A", "B")}
    issuers = {**ISSUERS, OWN: OWN_ISSUER}
    leaves = {name: roots[root].issue(name, server=False) for name, root in issuers.items()}
    names = {leaf.fingerprint: name for name, leaf in leaves.items()}
    cast = Cast(folder, ClientFiles(folder), roots, leaves, names, {}, {})
    with contextlib.ExitStack() as stack:
        for peer in PEERS:
            listener = stack.enter_context(Listener(_Serving(cast, peer).serve))
            cast.peers[peer] = Peer(peer, listener)
        leaf = roots["R"].issue("proxy", hosts=HOSTS)
        tls = ServerTls(leaf, (roots["A"], roots["B"]), Demand.ACCEPT)
        cast.proxies["http"] = stack.enter_context(ConnectProxy())
        cast.proxies["https"] = stack.enter_context(ConnectProxy(tls))
        yield cast


class _Serving:
    """A peer's side; pyOpenSSL's, since CPython's servers cannot name issuers."""

    def __init__(self, cast: Cast, peer: str) -> None:
        self._names = cast.names
        self._context = SSL.Context(SSL.TLS_SERVER_METHOD)
        leaf = cast.roots[signed_by(peer)].issue(peer, hosts=HOSTS)
        certificate, key = leaf.write_pem(cast.folder, peer)
        self._context.use_certificate_file(str(certificate))
        self._context.use_privatekey_file(str(key))
        self._context.set_session_id(peer.encode())
        self._ask(cast, asked_of(peer))

    def _ask(self, cast: Cast, asked: str | None) -> None:
        if asked is None:
            return
        # It judges nobody: what is shown to it is the question.
        self._context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        if asked in cast.roots:
            self._context.load_client_ca(cast.path((asked,)).encode())

    def serve(self, plain: socket.socket, number: int) -> None:
        plain.settimeout(None)
        connection = SSL.Connection(self._context, plain)
        connection.set_accept_state()
        with contextlib.suppress(SSL.Error):
            connection.do_handshake()
            self._answer_all(connection)

    def _answer_all(self, connection: SSL.Connection) -> None:
        shown = connection.get_peer_certificate()
        name = "none" if shown is None else self._names[_fingerprint(shown)]
        answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(name)}\r\n\r\n{name}".encode()
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
            while b"\r\n\r\n" in received:
                received = received.partition(b"\r\n\r\n")[2]
                connection.sendall(answer)


def _fingerprint(certificate: X509) -> str:
    return certificate.to_cryptography().fingerprint(hashes.SHA256()).hex()
