"""Identity contexts are few, are hidden, and make no connections."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.contexts import identity_contexts
from mxcert_runtime.contexts.identity_contexts import (
    COPIES_LIMIT,
    TRUSTING_LIMIT,
    Blueprint,
    IdentityContext,
    IdentityContexts,
)
from mxcert_runtime.contexts.trust import Trust
from mxcert_runtime.errors import MxcertError
from tests.contexts.ground import GOOD, Activation, Ground, Realm
from tests.contexts.verdicts import ask, attempt, connect
from tests.support.client_files import ClientFiles
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority, Leaf
from tests.support.tls_server import TlsServer

#: How many identity contexts may live, whoever holds them (DESIGN.md, section 7).
#: so that the bound is reached with few
BARE_LIMIT = 12


def _new() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trusting(realm: Realm) -> ssl.SSLContext:
    context = _new()
    context.load_verify_locations(cadata=realm.authority.der)
    return context


def _contexts() -> IdentityContexts:
    return identity_contexts.shared_contexts


def _living() -> int:
    gc.collect()
    return sum(isinstance(each, IdentityContext) for each in gc.get_objects())


def test_let_go_meanwhile(
    realm: Realm, server: TlsServer, activate: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is let go while a connection takes it is made anew for the next one, and then kept."""
    activate()
    made: list[Blueprint] = []
    make = identity_contexts._make

    def make_while_another_thread_lets_go(blueprint: Blueprint) -> IdentityContext:
        context = make(blueprint)
        if not made:
            _contexts().let_go([each for each in [blueprint.identity] if each is not None])
        made.append(blueprint)
        return context

    monkeypatch.setattr(identity_contexts, "_make", make_while_another_thread_lets_go)
    context = _trusting(realm)
    for _ in range(3):
        assert activate.leaf.fingerprint == attempt(context, server.port, GOOD).fingerprint
    assert 2 == len(made)


class TestSharing:
    def test_same_trust_shares(
        self, ground: Ground, server: TlsServer, activate: Activation
    ) -> None:
        """Contexts that were loaded alike share one identity context."""
        activate()
        path = ground.file(ground.realm.authority.pem)
        for _ in range(5):
            context = _new()
            context.load_verify_locations(path)
            assert attempt(context, server.port, GOOD).accepted
        assert 1 == len(_contexts())

    def test_loading_again_shares(
        self, realm: Realm, server: TlsServer, activate: Activation
    ) -> None:
        """A load that is done twice is no other trust."""
        activate()
        context = _trusting(realm)
        attempt(context, server.port, GOOD)
        context.load_verify_locations(cadata=realm.authority.der)
        assert attempt(context, server.port, GOOD).accepted
        assert 1 == len(_contexts())

    def test_contexts_without_record_share(
        self, realm: Realm, server: TlsServer, activate: Activation
    ) -> None:
        """Contexts older than activation share too, since each verifies by itself.

        There is one for TLS 1.3, and one that listens for renegotiations of TLS 1.2.
        """
        contexts = [_trusting(realm) for _ in range(5)]
        activate()
        for context in contexts:
            assert attempt(context, server.port, GOOD).fingerprint
        assert len(_contexts()) <= 2

    @pytest.mark.parametrize(
        "change",
        [
            lambda realm, context: context.load_verify_locations(cadata=realm.foreign.der),
            lambda realm, context: context.set_ciphers("ECDHE+AESGCM"),
        ],
        ids=["trust", "ciphers"],
    )
    def test_different_ones_do_not_share(
        self,
        change: Callable[[Realm, ssl.SSLContext], None],
        realm: Realm,
        server: TlsServer,
        activate: Activation,
    ) -> None:
        """Another trust and other ciphers are another identity context."""
        activate()
        one, other = _trusting(realm), _trusting(realm)
        change(realm, other)
        assert [True, True] == [attempt(each, server.port, GOOD).accepted for each in (one, other)]
        assert 2 == len(_contexts())

    def test_least_used_goes_first(self) -> None:
        """There is a bound; one that is used again stays, and one that went is made again."""
        contexts = IdentityContexts()
        blueprints = [
            Blueprint(None, Trust(), key_log=None, ciphers=("ALL",) * n) for n in range(50)
        ]
        kept = contexts.get(blueprints[0])
        gone = contexts.get(blueprints[1])
        for blueprint in blueprints:
            contexts.get(blueprint)
            assert contexts.get(blueprints[0]) is kept
        assert TRUSTING_LIMIT == len(contexts)
        assert contexts.get(blueprints[1]) is not gone

    def test_one_caller_with_many_identities(
        self,
        realm: Realm,
        server: TlsServer,
        client_files: ClientFiles,
        client_authority: Authority,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The bound holds for what lives, also where one context serves many identities.

        All of them verify by few copies of the trust.
        """
        monkeypatch.setattr(identity_contexts, "BARE_LIMIT", BARE_LIMIT)
        leaf_key = client_authority.issue("many", server=False).key
        rules = [
            client_files.identity(
                f"n{number}",
                client_authority.issue(f"n{number}", server=False, signing_key=leaf_key),
                hosts=[f"n{number}.test"],
            )
            for number in range(BARE_LIMIT + 8)
        ]
        mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": rules})
        before = _living()
        context = _trusting(realm)
        context.check_hostname = False
        for number in range(BARE_LIMIT + 8):
            seen = attempt(context, server.port, f"n{number}.test")
            assert seen.answer["subject"].startswith(f"CN=n{number},")
        # One that listens and verifies, and the copies of its trust.
        assert BARE_LIMIT + 1 + COPIES_LIMIT == _living() - before

    @pytest.mark.parametrize("take", ["no session", "a session"])
    def test_nothing_stays_after_deactivation(
        self, take: str, realm: Realm, server: TlsServer, activate: Activation
    ) -> None:
        """No context with a key outlives deactivation, once the program's connections are gone."""
        before = _living()
        activate()
        with connect(_trusting(realm), server.port, GOOD) as connection:
            ask(connection, GOOD)
            if take == "a session":
                assert connection.session is not None
        del connection
        assert before < _living()
        mxcert_runtime.deactivate()
        assert before == _living()


class TestHidden:
    @pytest.mark.parametrize(
        "make",
        [
            lambda context: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()),
            lambda context: context.wrap_socket(None),
            lambda context: context._wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), False),
            lambda context: context._wrap_socket(None, False),
            lambda context: ssl.SSLObject._create(
                ssl.MemoryBIO(), ssl.MemoryBIO(), context=context
            ),
        ],
    )
    def test_makes_no_connections(self, make: Callable[[Any], Any]) -> None:
        """Nobody connects by an identity context, past the policy."""
        context = IdentityContexts().get(Blueprint(None, Trust()))
        with pytest.raises(MxcertError, match="makes no connections"):
            make(context)

    @pytest.mark.parametrize("created", ["before", "after"])
    def test_socket_shows_the_callers(
        self, created: str, realm: Realm, server: TlsServer, activate: Activation
    ) -> None:
        """``SSLSocket.context`` is the caller's, during and after the connection's life."""
        if created == "after":
            activate()
        context = _trusting(realm)
        if created == "before":
            activate()
        with connect(context, server.port, GOOD) as connection:
            assert connection.context is context
        assert connection.context is context

    @pytest.mark.parametrize("created", ["before", "after"])
    def test_memory_object_shows_the_callers(
        self, created: str, realm: Realm, server: TlsServer, activate: Activation
    ) -> None:
        """``SSLObject.context`` is the caller's, before and after the handshake."""
        if created == "after":
            activate()
        context = _trusting(realm)
        if created == "before":
            activate()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        connection = context.wrap_bio(incoming, outgoing, server_hostname=GOOD)
        assert connection.context is context
        _shake_hands(connection, incoming, outgoing, server.port)
        assert connection.context is context

    def test_memory_object_after_deactivation(self, realm: Realm, activate: Activation) -> None:
        """A connection that outlives us shows an identity context, which makes no connections.

        The property is then CPython's own again, as undo promises.
        """
        activate()
        context = _trusting(realm)
        connection = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=GOOD)
        mxcert_runtime.deactivate()
        assert isinstance(connection.context, IdentityContext)
        with pytest.raises(MxcertError):
            connection.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=GOOD)

    @pytest.mark.parametrize("created", ["before", "after"])
    def test_asyncio_shows_the_callers(
        self, created: str, realm: Realm, server: TlsServer, activate: Activation, alpha: Leaf
    ) -> None:
        """So do the transports of asyncio, and the server sees the identity."""
        if created == "after":
            activate()
        context = _trusting(realm)
        if created == "before":
            activate()

        async def fetch() -> bytes:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", server.port, ssl=context, server_hostname=GOOD
            )
            assert writer.get_extra_info("sslcontext") is context
            assert writer.get_extra_info("ssl_object").context is context
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            content = await reader.read()
            writer.close()
            await writer.wait_closed()
            return content

        content = asyncio.run(asyncio.wait_for(fetch(), TIMEOUT))
        assert alpha.fingerprint.encode() in content


def _shake_hands(
    connection: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, port: int
) -> None:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain:
        while True:
            try:
                connection.do_handshake()
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
            else:
                plain.sendall(outgoing.read())
                return
