"""What moves with an identity context is the caller's too: ciphers, level, key log, callbacks."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mxcert_runtime.errors import MxcertError
from tests.contexts.changes import CHANGES, Change
from tests.contexts.client_hello import client_hello
from tests.contexts.ground import GOOD, Activation, Realm
from tests.contexts.verdicts import ask, attempt, connect
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer


@pytest.mark.parametrize("change", CHANGES)
def test_first_message_is_that_of_a_plain_context(
    change: str, realm: Realm, prepared: Callable[[Change], ssl.SSLContext]
) -> None:
    """Version, ciphers and every extension of the ClientHello are the caller's alone."""
    plain = realm.trusting()
    CHANGES[change](plain)
    expected = client_hello(plain, GOOD)
    assert expected == client_hello(prepared(CHANGES[change]), GOOD)


def test_changes_tell_first_messages_apart(realm: Realm) -> None:
    """The comparison is worth something: each change shows, but the level of 3.9's default."""
    seen = []
    for change in CHANGES.values():
        context = realm.trusting()
        change(context)
        seen.append(client_hello(context, GOOD))
    assert all(one != seen[0] for one in seen[1:])


@pytest.mark.skipif(
    not hasattr(ssl.SSLContext, "set_client_sigalgs"), reason="Python 3.15 and later can choose"
)
@pytest.mark.parametrize("chosen", ["ECDSA+SHA256", "ECDSA+SHA512"])
def test_the_client_signs_by_what_its_context_allows(
    chosen: str, realm: Realm, activate: Activation, client_authority: Authority, tmp_path: Path
) -> None:
    """The server sees the identity's signature made by the algorithm that the caller chose."""
    activate()
    context = realm.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in TLS 1.3 the curve decides
    getattr(context, "set_client_sigalgs")(chosen)  # noqa: B009 - no older Python has it
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*realm.leaves[GOOD].write_pem(tmp_path))
    server.load_verify_locations(cadata=client_authority.der)
    server.verify_mode = ssl.CERT_REQUIRED
    assert _signature_seen(context, server).endswith(chosen[-3:])


def _signature_seen(context: ssl.SSLContext, server: ssl.SSLContext) -> str:
    ours, theirs = socket.socketpair()
    with ThreadPoolExecutor(1) as pool, ours, theirs:
        accepted = pool.submit(server.wrap_socket, theirs, server_side=True)
        with context.wrap_socket(ours, server_hostname=GOOD):
            connection: Any = accepted.result(30)
            with connection:
                return str(connection.client_sigalg())


def test_ciphers_after_the_first_connection(
    realm: Realm, server: TlsServer, prepared: Callable[[Change], ssl.SSLContext]
) -> None:
    """Ciphers that the caller chooses later count from the next connection on."""
    context = prepared(CHANGES["nothing"])
    assert attempt(context, server.port, GOOD).accepted
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    plain = realm.trusting()
    plain.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    assert client_hello(plain, GOOD).ciphers == client_hello(context, GOOD).ciphers


def test_alpn(
    realm: Realm,
    tls_server: ServerFactory[TlsServer],
    prepared: Callable[[Change], ssl.SSLContext],
    tls_version: TlsVersion,
) -> None:
    """The protocol that the server selected is told to the caller."""
    server = tls_server(leaf=realm.leaves[GOOD], alpn=["http/1.1"], version=tls_version)
    with connect(prepared(CHANGES["ALPN"]), server.port, GOOD) as connection:
        assert "http/1.1" == connection.selected_alpn_protocol()


def _weak_rules(
    client_files: ClientFiles, client_authority: Authority, activate: Activation
) -> Activation:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    weak = client_authority.issue("weak", server=False, signing_key=key)
    return Activation(client_files, weak)


@pytest.mark.parametrize("created", ["before", "after"])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_weak_identity(
    level: int,
    created: str,
    realm: Realm,
    tls_server: ServerFactory[TlsServer],
    client_files: ClientFiles,
    client_authority: Authority,
    activate: Activation,
    tls_version: TlsVersion,
) -> None:
    """RSA with 1024 bits is presented from a context of level 0 or 1, and refused on level 2."""
    activate = _weak_rules(client_files, client_authority, activate)
    server = tls_server(leaf=realm.leaves[GOOD], ciphers="ALL:@SECLEVEL=0", version=tls_version)
    if created == "after":
        activate()
    context = realm.trusting()
    context.set_ciphers(f"DEFAULT:@SECLEVEL={level}")
    if created == "before":
        activate()
    # Python 3.9 does not tell the level of a context that is older than activation.
    is_told = created == "after" or sys.version_info >= (3, 10)
    if level < 2 and is_told:
        assert activate.leaf.fingerprint == attempt(context, server.port, GOOD).fingerprint
        return
    with pytest.raises(ssl.SSLError) as caught:
        connect(context, server.port, GOOD)
    assert isinstance(caught.value, MxcertError)
    assert "EE_KEY_TOO_SMALL" in str(caught.value)
    assert not server.seen


def test_refusal_has_the_attributes_of_ssl_errors(
    realm: Realm,
    server: TlsServer,
    client_files: ClientFiles,
    client_authority: Authority,
    activate: Activation,
) -> None:
    """Clients look at `reason` and `library` of every ssl.SSLError that they catch."""
    activate = _weak_rules(client_files, client_authority, activate)
    activate()
    context = realm.trusting()
    context.set_ciphers("DEFAULT:@SECLEVEL=2")
    with pytest.raises(ssl.SSLError) as caught:
        connect(context, server.port, GOOD)
    assert "EE_KEY_TOO_SMALL" == caught.value.reason
    assert "SSL" == caught.value.library


@pytest.mark.parametrize("set_when", ["at first", "after a connection"])
def test_key_log(
    set_when: str,
    realm: Realm,
    server: TlsServer,
    prepared: Callable[[Change], ssl.SSLContext],
    tmp_path: Path,
) -> None:
    """The key log has the same lines for a connection as it has without us."""

    def log_of(context: ssl.SSLContext, name: str) -> list[str]:
        if set_when == "after a connection":
            attempt(context, server.port, GOOD)
        path = tmp_path / name
        context.keylog_filename = str(path)
        assert attempt(context, server.port, GOOD).accepted
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        return sorted(line.split()[0] for line in lines)

    expected = log_of(realm.trusting(), "plain")
    assert expected
    assert expected == log_of(prepared(CHANGES["nothing"]), "hooked")


@pytest.mark.parametrize("set_when", ["at first", "after a connection"])
def test_message_callback(
    set_when: str,
    realm: Realm,
    server: TlsServer,
    alpha: Leaf,
    prepared: Callable[[Change], ssl.SSLContext],
) -> None:
    """The caller's callback gets every message, with the caller's own connection."""

    def messages_of(context: ssl.SSLContext) -> list[tuple[Any, ...]]:
        messages: list[tuple[Any, ...]] = []

        def note(owner: Any, *message: Any) -> None:
            messages.append((type(owner), *message[:-1]))

        if set_when == "after a connection":
            attempt(context, server.port, GOOD)
        context._msg_callback = note  # type: ignore[attr-defined]
        assert attempt(context, server.port, GOOD).accepted
        assert context._msg_callback is note  # type: ignore[attr-defined]
        return messages

    def server_messages(messages: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return [each for each in messages if each[1] == "read"]

    plain = realm.trusting()
    expected = server_messages(messages_of(plain))
    assert expected
    assert expected == server_messages(messages_of(prepared(CHANGES["nothing"])))


def test_change_between_creation_and_handshake(
    realm: Realm, server: TlsServer, prepared: Callable[[Change], ssl.SSLContext]
) -> None:
    """What the caller loads after creating the connection counts, where its own context verifies.

    An identity context that verifies in its place was made before: it can only trust less, and the
    docs/how-it-works.md says so.
    """
    context = prepared(CHANGES["nothing"])
    plain = socket.create_connection(("127.0.0.1", server.port), 10)
    host = "foreign.test"
    with context.wrap_socket(
        plain, server_hostname=host, do_handshake_on_connect=False
    ) as connection:
        verifies_in_place = _verifier(connection) is not context
        context.load_verify_locations(cadata=realm.foreign.der)
        if verifies_in_place:
            with pytest.raises(ssl.SSLCertVerificationError):
                connection.do_handshake()
            return
        connection.do_handshake()
        with contextlib.suppress(OSError):
            assert host == ask(connection, host)["sni"]


def _verifier(connection: ssl.SSLSocket) -> ssl.SSLContext:
    context: ssl.SSLContext = connection._sslobj.context  # type: ignore[attr-defined]
    return context
