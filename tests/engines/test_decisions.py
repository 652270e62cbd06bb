"""What is presented to whom, by what the server saw."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.contexts.identity_contexts import IdentityRefusedError
from mxcert_runtime.decisions.legs import dialling
from tests.clients.calls import TIMEOUT
from tests.engines.drivers import Driver
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf, rsa_key
from tests.support.scene import (
    ALPHA_HOST,
    ALPHA_SERVICE,
    BETA_SERVICE,
    HOSTS,
    NO_SERVICE,
    NOBODY,
    Scene,
)
from tests.support.server_tls import TlsVersion
from tests.support.tls_server import TlsServer

OpensslServers = ServerFactory[OpensslServer]


def _seen(
    engine: Driver, scene: Scene, context: object, hosts: tuple[str, ...] = HOSTS
) -> list[str | None]:
    return [engine.presented(scene.url(host), context) for host in hosts]


def _expected(scene: Scene) -> list[str | None]:
    return [scene.alpha.fingerprint, scene.beta.fingerprint, None]


def test_each_host_gets_its_own(engine: Driver, scene: Scene) -> None:
    """One context, three hosts, again and again: each sees its identity, and one nothing."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    assert _expected(scene) * 2 == _seen(engine, scene, context, HOSTS * 2)


def test_older_context(engine: Driver, scene: Scene) -> None:
    """A context that was used before the activation serves all hosts after it."""
    context = engine.context(scene.ca_file)
    assert engine.presented(scene.url(), context) is None
    scene.activate_hosts()
    assert _expected(scene) == _seen(engine, scene, context)


def test_deactivated(engine: Driver, scene: Scene) -> None:
    """Its twin: after deactivation the same context presents nothing."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    assert scene.alpha.fingerprint == engine.presented(scene.url(), context)
    mxcert_runtime.deactivate()
    assert [None] * 3 == _seen(engine, scene, context)


def test_other_settings(engine: Driver, scene: Scene) -> None:
    """Settings that come later count from the next connection on."""
    context = engine.context(scene.ca_file)
    for leaf in (scene.alpha, scene.beta):
        scene.activate(scene.files.identity("one", leaf, hosts=[ALPHA_HOST]))
        assert leaf.fingerprint == engine.presented(scene.url(), context)


def test_none_wins_over_the_default(engine: Driver, scene: Scene) -> None:
    """A rule that says none withholds what every other host is offered."""
    one = scene.files.identity("one", scene.alpha)
    scene.activate(one, unlisted_hosts="offer", no_certificate={"hosts": [NOBODY]})
    context = engine.context(scene.ca_file)
    offered = scene.alpha.fingerprint
    assert [offered, offered, None] == _seen(engine, scene, context)


def test_services(engine: Driver, scene: Scene) -> None:
    """The service that the code names decides; another one, or none, otherwise."""
    scene.activate_services()
    context, seen = engine.context(scene.ca_file), []
    for name in (ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE):
        with mxcert_runtime.service(name):
            seen.append(engine.presented(scene.url(), context))
    assert [*_expected(scene), None] == [*seen, engine.presented(scene.url(), context)]


def test_port(engine: Driver, scene: Scene, tls_server: ServerFactory[TlsServer]) -> None:
    """A rule with a port is for that port alone."""
    other = tls_server(hosts=HOSTS)
    host = f"{ALPHA_HOST}:{scene.server.port}"
    scene.activate(scene.files.identity("one", scene.alpha, hosts=[host]))
    context = engine.context(scene.ca_file)
    urls = scene.url(), other.url(ALPHA_HOST)
    assert [scene.alpha.fingerprint, None] == [engine.presented(url, context) for url in urls]


class TestLegs:
    """What the dialling code states is for one connection object, and for one that it fits."""

    @pytest.fixture
    def context(self, engine: Driver, scene: Scene) -> Any:
        """The rule goes by a port that nobody but a leg can tell."""
        scene.activate(scene.files.identity("one", scene.alpha, hosts=[f"{ALPHA_HOST}:1"]))
        return engine.context(scene.ca_file)

    def test_one_object(self, engine: Driver, context: Any) -> None:
        """Of two that are made in it the first goes by it."""
        with dialling(ALPHA_HOST, 1):
            made = [engine.make(context, ALPHA_HOST) for _ in range(2)]
        assert [True, False] == [_has_identity(each) for each in made]

    def test_as_many_as_are_stated(self, engine: Driver, context: Any) -> None:
        """A library that tries again states it for more."""
        with dialling(ALPHA_HOST, 1, attempts=2):
            made = [engine.make(context, ALPHA_HOST) for _ in range(3)]
        assert [True, True, False] == [_has_identity(each) for each in made]

    def test_another_name(self, engine: Driver, context: Any) -> None:
        """One that leads elsewhere leaves it for the next."""
        with dialling(ALPHA_HOST, 1):
            made = [engine.make(context, host) for host in (NOBODY, ALPHA_HOST)]
        assert [False, True] == [_has_identity(each) for each in made]


def _has_identity(connection: Any) -> bool:
    return connection._mxcert_attempt.decision.identity is not None


def test_own_certificate_wins(engine: Driver, scene: Scene, tmp_path: Path) -> None:
    """What the program loads into its context is presented to every host."""
    scene.activate(scene.files.identity("one", scene.alpha, hosts=[ALPHA_HOST, NOBODY]))
    context = engine.context(scene.ca_file)
    engine.give_certificate(context, scene.beta, tmp_path)
    assert [scene.beta.fingerprint] * 3 == _seen(engine, scene, context)


def test_client_without_a_name(engine: Driver, scene: Scene, alpha: Leaf) -> None:
    """Who names no host to TLS gets nothing where a rule by name may be meant."""
    identity = scene.files.identity("one", alpha)
    context = engine.context(scene.ca_file)
    scene.activate(identity, unlisted_hosts="offer", no_certificate={"hosts": [NOBODY]})
    assert engine.get(scene.url(), context, is_named=False).presented is None
    scene.activate(identity, unlisted_hosts="offer")
    assert alpha.fingerprint == engine.get(scene.url(), context, is_named=False).presented


def test_chain_goes_along(engine: Driver, scene: Scene, gamma: Leaf) -> None:
    """A server that trusts the root alone accepts a leaf below an intermediate."""
    scene.activate(scene.files.identity("gamma", gamma, hosts=[ALPHA_HOST]))
    answer = engine.get(scene.url(), engine.context(scene.ca_file)).answer
    assert gamma.fingerprint == answer["fingerprint"]
    # Before Python 3.10 a server does not see the chain.
    assert answer["chain_length"] in (2, 3, None)


def test_identity_that_openssl_refuses(
    engine: Driver, scene: Scene, client_authority: Authority
) -> None:
    """There is no connection rather than one without the identity of its rule."""
    weak = client_authority.issue("weak", server=False, signing_key=rsa_key())
    scene.activate(scene.files.identity("weak", weak, hosts=[ALPHA_HOST]))
    context = engine.context(scene.ca_file)
    engine.set_ciphers(context, "DEFAULT:@SECLEVEL=3")
    with pytest.raises(IdentityRefusedError, match="EE_KEY_TOO_SMALL"):
        engine.get(scene.url(), context)
    assert [] == scene.seen


class TestRequest:
    """The server's request chooses where no rule does."""

    @pytest.mark.parametrize("known", ["a", "b", None])
    @pytest.mark.parametrize("count", [1, 2])
    def test_chooses(
        self,
        engine: Driver,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        scene: Scene,
        known: str | None,
        count: int,
    ) -> None:
        """The identity below a root that the server names; nothing below a stranger's."""
        roots = {name: Authority(f"Root {name}") for name in ("a", "b")}
        leaves = {name: root.issue(name, server=False) for name, root in roots.items()}
        offered = dict(list(leaves.items())[:count])
        named = roots[known] if known else Authority("Stranger")
        server = openssl_server(hosts=HOSTS, version=tls_version, client_authorities=[named])
        identities = [scene.files.identity(name, leaf) for name, leaf in offered.items()]
        scene.activate(*identities, unlisted_hosts="offer")
        self._connect(engine, server, engine.context(scene.ca_file))
        expected = offered[known].fingerprint if known in offered else None
        assert [expected] == server.presented.wait_for(1)

    def test_turned_off(
        self,
        engine: Driver,
        openssl_server: OpensslServers,
        tls_version: TlsVersion,
        scene: Scene,
        client_authority: Authority,
    ) -> None:
        """The twin: ``unlisted_hosts = "none"`` offers nothing to a server that would take it."""
        server = openssl_server(
            hosts=HOSTS, version=tls_version, client_authorities=[client_authority]
        )
        scene.activate(scene.files.identity("one", scene.alpha))
        self._connect(engine, server, engine.context(scene.ca_file))
        assert [None] == server.presented.wait_for(1)

    @staticmethod
    def _connect(engine: Driver, server: OpensslServer, context: object) -> None:
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain:
            engine.shake_hands(context, plain, ALPHA_HOST)
