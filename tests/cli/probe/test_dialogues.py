"""``mxcert probe`` for protocols that begin TLS on request, and with TLS from the start."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from tests.cli.probing import HOST, Probe, ScriptedServer
from tests.support.factories import ServerFactory
from tests.support.mail_server import StartTlsServer
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls

_LDAP_DONE = bytes.fromhex("300c02010178070a010004000400")
_LDAP_REFUSED = bytes.fromhex("300c02010178070a013404000400")
_LDAP_ANSWER = bytes.fromhex("300c02010278070a010004000400")

pytestmark = pytest.mark.usefixtures("loopback_names")


@pytest.fixture
def server_tls(authority: Authority, client_authority: Authority) -> ServerTls:
    """A server of the host's name that demands a certificate."""
    return ServerTls(authority.issue("server", hosts=[HOST]), (client_authority,))


@pytest.mark.parametrize("kind", ["smtp", "imap", "ftp"])
def test_starttls(request: pytest.FixtureRequest, probe: Probe, kind: str, alpha: Leaf) -> None:
    """The server sees the identity on a connection that TLS was asked for."""
    servers: ServerFactory[StartTlsServer] = request.getfixturevalue(f"{kind}_server")
    server = servers(hosts=[HOST], demand=Demand.DEMAND)

    probed = probe(f"{kind}://{HOST}:{server.port}")

    assert (0, "taken", alpha.fingerprint) == (probed.status, probed.outcome, probed.presented)
    assert [alpha.fingerprint] == [seen.fingerprint for seen in server.seen]
    assert "STARTTLS" in probed.steps


def test_starttls_by_option(
    probe: Probe, smtp_server: ServerFactory[StartTlsServer], alpha: Leaf
) -> None:
    """``--starttls`` takes the place of the scheme."""
    server = smtp_server(hosts=[HOST], demand=Demand.DEMAND)

    probed = probe("--starttls", "smtp", f"{HOST}:{server.port}")

    assert (0, alpha.fingerprint) == (probed.status, probed.presented)


@pytest.mark.parametrize(
    ("scheme", "answers"),
    [
        ("pop3", [b"+OK ready\r\n", b"+OK begin\r\n", b"", b"+OK\r\n"]),
        ("pop3s", [b"", b"+OK ready\r\n"]),
        ("smtps", [b"", b"220-hello\r\n220 ready\r\n"]),
    ],
)
def test_scripted_mail_servers(
    probe: Probe,
    server_stack: ExitStack,
    server_tls: ServerTls,
    scheme: str,
    answers: list[bytes],
    alpha: Leaf,
) -> None:
    """STLS, and TLS from the start, where the server speaks first."""
    server = ScriptedServer(server_stack, answers, server_tls)

    probed = probe(f"{scheme}://{HOST}:{server.port}")

    assert (0, alpha.fingerprint) == (probed.status, probed.presented)
    assert (scheme == "pop3") == ("STARTTLS" in probed.steps)


@pytest.mark.parametrize(("first", "status"), [(_LDAP_DONE, 0), (_LDAP_REFUSED, 1)])
def test_ldap(
    probe: Probe, server_stack: ExitStack, server_tls: ServerTls, first: bytes, status: int
) -> None:
    """The extended request of RFC 4511, and its result code; a refusal is told."""
    server = _LdapServer(server_stack, first, server_tls)

    probed = probe(f"ldap://{HOST}:{server.port}")

    assert status == probed.status
    assert ("LDAP result 0" if status == 0 else None) == probed.data["answer"]
    assert b"1.3.6.1.4.1.1466.20037" in server.received[0]


class _LdapServer(ScriptedServer):
    """A server that waits for the client to speak first."""

    def __init__(self, stack: ExitStack, first: bytes, tls: ServerTls) -> None:
        super().__init__(stack, [], tls)
        self._first = first

    def _serve(self, plain: socket.socket, number: int) -> None:
        self.received.append(plain.recv(65536))
        plain.sendall(self._first)
        if self._first is not _LDAP_DONE or self._end is None:
            return
        secure = self._end.handshake(plain, number)
        if secure is not None:
            with secure:
                self.received.append(secure.recv(65536))
                secure.sendall(_LDAP_ANSWER)


@pytest.mark.parametrize(
    ("scheme", "answers"),
    [
        ("smtp", [b"220 ready\r\n", b"250 localhost\r\n", b"502 no STARTTLS\r\n"]),
        ("smtp", [b"* OK an IMAP server\r\n"]),
        ("imap", [b"* OK ready\r\n", b"a1 BAD what\r\n"]),
        ("ftp", [b"220 ready\r\n", b"500 what\r\n"]),
        ("ldap", [b"220 ready\r\n"]),
    ],
)
def test_no_starttls(
    probe: Probe, server_stack: ExitStack, scheme: str, answers: list[bytes]
) -> None:
    """A server that does not begin TLS is told as that; nothing goes on in plain text."""
    server = ScriptedServer(server_stack, answers)

    probed = probe(f"{scheme}://{HOST}:{server.port}")

    assert (1, "no-connection") == (probed.status, probed.outcome)
    assert "STARTTLS" == probed.steps[-1]
