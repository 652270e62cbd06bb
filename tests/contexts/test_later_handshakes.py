"""A server that asks once more gets the identity, and is verified as before."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contexts.changes import CHANGES, Change
from tests.contexts.ground import GOOD, Activation, Realm
from tests.contexts.verdicts import ask, connect
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Leaf
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer


def test_post_handshake(
    realm: Realm,
    tls_server: ServerFactory[TlsServer],
    alpha: Leaf,
    prepared: Callable[[Change], ssl.SSLContext],
) -> None:
    """A server of TLS 1.3 that asks only later gets the identity then."""
    server = tls_server(leaf=realm.leaves[GOOD], version=TlsVersion.TLS13, demand=Demand.LATER)
    with connect(prepared(CHANGES["post-handshake"]), server.port, GOOD) as connection:
        first = ask(connection, GOOD, last=False)
        later = ask(connection, GOOD, "/private")
    assert [None, alpha.fingerprint] == [first["fingerprint"], later["fingerprint"]]


def test_post_handshake_not_offered(
    realm: Realm,
    tls_server: ServerFactory[TlsServer],
    prepared: Callable[[Change], ssl.SSLContext],
) -> None:
    """What the caller does not offer we do not offer either."""
    server = tls_server(leaf=realm.leaves[GOOD], version=TlsVersion.TLS13, demand=Demand.LATER)
    with connect(prepared(CHANGES["nothing"]), server.port, GOOD) as connection:
        answer = ask(connection, GOOD, "/private")
    assert (None, "EXTENSION_NOT_RECEIVED") == (answer["fingerprint"], answer["error"])


def _be_asked(server: OpensslServer, connection: ssl.SSLSocket, times: int) -> None:
    for number in range(times):
        server.ask()
        server.send(f"after {number}")
        received = b""
        while not received.endswith(b"\n"):
            piece = connection.recv(1000)
            assert piece, "the server closed"
            received += piece
        connection.sendall(f"answer {number}\n".encode())  # first ends the handshake


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("demand", [Demand.ACCEPT, Demand.LATER])
def test_renegotiation(
    demand: Demand,
    times: int,
    realm: Realm,
    openssl_server: ServerFactory[OpensslServer],
    alpha: Leaf,
    prepared: Callable[[Change], ssl.SSLContext],
) -> None:
    """A server of TLS 1.2 that shakes hands again gets the identity, and is verified as before."""
    server = openssl_server(leaf=realm.leaves[GOOD], version=TlsVersion.TLS12, demand=demand)
    with connect(prepared(CHANGES["nothing"]), server.port, GOOD) as connection:
        _be_asked(server, connection, times)
    # s_server asks until it has a certificate, and every handshake sends its own.
    assert [alpha.fingerprint] == server.presented.wait_for(1)


@pytest.mark.parametrize("demand", [Demand.ACCEPT, Demand.LATER])
@pytest.mark.parametrize("created", ["before", "after"])
def test_renegotiation_with_authorities_of_a_rule(
    created: str,
    demand: Demand,
    realm: Realm,
    openssl_server: ServerFactory[OpensslServer],
    activate: Activation,
    beta: Leaf,
    tmp_path: Path,
) -> None:
    """The trust of the rule also verifies later handshakes, where the caller has a certificate."""
    if created == "before" and sys.version_info < (3, 10):
        pytest.skip("Python 3.9 refuses: see test_security_level_with_authorities_of_a_rule")
    server = openssl_server(leaf=realm.leaves[GOOD], version=TlsVersion.TLS12, demand=demand)
    if created == "after":
        activate(authorities=(realm.authority,))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=realm.foreign.der)
    context.load_cert_chain(*beta.write_pem(tmp_path))
    if created == "before":
        activate(authorities=(realm.authority,))
    with connect(context, server.port, GOOD) as connection:
        _be_asked(server, connection, 2)
    assert [beta.fingerprint] == server.presented.wait_for(1)
