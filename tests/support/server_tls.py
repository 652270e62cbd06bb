"""The server's side of TLS for every test server: its context, its handshake, what it then sees.

Only the ``ssl`` module's plain classes are used, so that what is under test cannot reach in here
by way of ``create_default_context``.
"""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from cryptography import x509

from .listener import TIMEOUT, Records
from .pki import Authority, Leaf, pem


class Demand(Enum):
    """How a server treats the certificate of the client."""

    DEMAND = "demand"
    ACCEPT = "accept"
    ASK_NOT = "ask-not"
    #: post-handshake authentication (RFC 8446, section 4.6.2); with TLS 1.2 it is ACCEPT
    LATER = "later"


class TlsVersion(Enum):
    """The protocol versions that a server speaks."""

    TLS12 = "TLSv1.2"
    TLS13 = "TLSv1.3"
    BOTH = "both"

    @property
    def pin(self) -> tuple[ssl.TLSVersion, ssl.TLSVersion]:
        """The lowest and the highest version, for an ``SSLContext``."""
        lowest, highest = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        if self is TlsVersion.TLS12:
            return lowest, lowest
        return (highest, highest) if self is TlsVersion.TLS13 else (lowest, highest)


@dataclass(frozen=True)
class ServerTls:
    """The TLS settings of a server.

    ``demand`` of ``None`` is DEMAND where there are client authorities, else ASK_NOT.
    ``tickets`` is the number of TLS 1.3 tickets; 0 also stops TLS 1.2 tickets, yet there the
    server still resumes by session ID.
    """

    leaf: Leaf
    client_authorities: tuple[Authority, ...] = ()
    demand: Demand | None = None
    version: TlsVersion = TlsVersion.BOTH
    leaves_by_name: Mapping[str, Leaf] = field(default_factory=dict)
    ciphers: str | None = None
    tickets: int = 2
    alpn: tuple[str, ...] = ()

    @property
    def effective_demand(self) -> Demand:
        """``demand``, or what follows from the client authorities."""
        if self.demand is not None:
            return self.demand
        return Demand.DEMAND if self.client_authorities else Demand.ASK_NOT


@dataclass(frozen=True)
class Seen:
    """What a server sees of one TLS connection; ``chain_length`` is unknown on Python 3.9."""

    connection: int
    fingerprint: str | None
    subject: str | None
    chain_length: int | None
    tls: str | None
    resumed: bool
    sni: str | None

    def as_data(self) -> dict[str, Any]:
        """The fields as plain data, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class HandshakeFailure:
    """A handshake that a server ended, or that ended without it."""

    connection: int
    error: OSError

    @property
    def reason(self) -> str | None:
        """OpenSSL's name of the reason, such as ``PEER_DID_NOT_RETURN_A_CERTIFICATE``."""
        return getattr(self.error, "reason", None)


class ServerConnection(ssl.SSLSocket):
    """A server's connection that remembers the name that the client asked for."""

    requested_name: str | None = None
    finished_messages = 0


class ServerEnd:
    """Makes TLS out of accepted connections and records every handshake, good or bad."""

    def __init__(self, tls: ServerTls) -> None:
        self._context = server_context(tls)
        self.seen: Records[Seen] = Records()
        self.failures: Records[HandshakeFailure] = Records()

    def handshake(self, plain: socket.socket, number: int) -> ServerConnection | None:
        """The connection after its handshake, or ``None`` where that failed."""
        connection = self._context.wrap_socket(
            plain, server_side=True, do_handshake_on_connect=False
        )
        assert isinstance(connection, ServerConnection)
        try:
            connection.do_handshake()
        except OSError as error:
            self.failures.append(HandshakeFailure(number, error))
            connection.close()
            return None
        self.seen.append(observe(connection, number))
        return connection


def server_context(tls: ServerTls) -> ssl.SSLContext:
    """A context for these settings; it takes the leaf by the name that the client asks for."""
    context = _context(tls, tls.leaf)
    by_name = {name: _context(tls, leaf) for name, leaf in tls.leaves_by_name.items()}

    def choose(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        connection.requested_name = name
        if name in by_name:
            connection.context = by_name[name]

    context.sni_callback = choose
    return context


def _context(tls: ServerTls, leaf: Leaf) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = ServerConnection
    context.minimum_version, context.maximum_version = tls.version.pin
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*leaf.write_pem(Path(folder)))
    _ask_for_certificate(context, tls)
    if tls.ciphers is not None:
        context.set_ciphers(tls.ciphers)
    if tls.alpn:
        context.set_alpn_protocols(list(tls.alpn))
    context.num_tickets = tls.tickets
    if not tls.tickets:
        context.options |= ssl.OP_NO_TICKET
    return context


def _ask_for_certificate(context: ssl.SSLContext, tls: ServerTls) -> None:
    demand = tls.effective_demand
    if demand is Demand.ASK_NOT:
        return
    if not tls.client_authorities:
        raise ValueError(f"a server that is to {demand.value} needs client authorities")
    roots = pem(*(authority.certificate for authority in tls.client_authorities))
    context.load_verify_locations(cadata=roots.decode("ascii"))
    context.verify_mode = ssl.CERT_REQUIRED if demand is Demand.DEMAND else ssl.CERT_OPTIONAL
    if demand is Demand.LATER:
        context.post_handshake_auth = True
        context._msg_callback = _count_finished  # type: ignore[attr-defined]


def _count_finished(
    connection: Any, direction: str, _version: Any, _content: Any, message: Any, _data: bytes
) -> None:
    if direction == "read" and getattr(message, "name", "") == "FINISHED":
        connection.finished_messages += 1


def ask_after_handshake(connection: ServerConnection) -> None:
    """Request the client's certificate now and take in the answer (TLS 1.3).

    Raises ``ssl.SSLError`` where the client has not said that it can do this.
    """
    before = connection.finished_messages
    connection.verify_client_post_handshake()
    connection.do_handshake()  # sends the request
    connection.settimeout(0)
    try:
        while connection.finished_messages == before:
            if not select.select([connection], [], [], TIMEOUT)[0]:
                raise TimeoutError("the client does not answer the request for its certificate")
            with contextlib.suppress(ssl.SSLWantReadError):
                assert not connection.recv(1), "the client sent data before its certificate"
                raise ConnectionResetError("the client closed instead of answering")
    finally:
        connection.settimeout(TIMEOUT)


def observe(connection: ServerConnection, number: int) -> Seen:
    """What can be seen of this connection now."""
    der = connection.getpeercert(binary_form=True)
    return Seen(
        connection=number,
        fingerprint=None if der is None else hashlib.sha256(der).hexdigest(),
        subject=None if der is None else subject_of(der),
        chain_length=_chain_length(connection),
        tls=connection.version(),
        resumed=bool(connection.session_reused),
        sni=connection.requested_name,
    )


def subject_of(der: bytes) -> str:
    """The subject of a certificate as RFC 4514 writes it, as far as cryptography reads it."""
    try:
        return x509.load_der_x509_certificate(der).subject.rfc4514_string()
    except (ValueError, Warning):
        return "(cryptography cannot read it)"


def _chain_length(connection: ServerConnection) -> int | None:
    # Public since Python 3.13, on the inner object since 3.10; a resumed session has the leaf only.
    inner = getattr(connection, "_sslobj", None)
    chain: Callable[[], list[Any] | None] | None = getattr(inner, "get_unverified_chain", None)
    return None if chain is None else len(chain() or ())


def close_politely(connection: ssl.SSLSocket) -> None:
    """Send close_notify, wait for none, and close."""
    with contextlib.suppress(OSError):
        connection.settimeout(0)
        connection.unwrap()
    connection.close()
