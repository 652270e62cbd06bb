"""pyOpenSSL: a session is resumed for the same identity and host, and for nobody else."""

from __future__ import annotations

import socket
from typing import Any

import pytest

pytest.importorskip("OpenSSL")

from OpenSSL import SSL

import mxcert_runtime
from tests.clients.openssl_calls import get_from, give_certificate, trusting
from tests.pools.clients import scope
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority
from tests.support.scene import (
    ALPHA_HOST,
    ALPHA_SERVICE,
    BETA_SERVICE,
    NO_SERVICE,
    NOBODY,
    Scene,
    scene_of_each_version,
)

ORDERS = ["session first", "name first", "session last"]

scene = scene_of_each_version


def _dial(
    scene: Scene,
    context: Any,
    session: Any = None,
    host: str = ALPHA_HOST,
    order: str = ORDERS[0],
    verify: int | None = None,
) -> tuple[tuple[str | None, bool], Any]:
    """What the server saw, whether it resumed, and the session that the client can keep."""
    with socket.create_connection(("127.0.0.1", scene.server.port), TIMEOUT) as plain:
        connection = SSL.Connection(context, plain)
        if verify is not None:
            connection.set_verify(verify)
        steps = {
            "session": lambda: None if session is None else connection.set_session(session),
            "name": lambda: connection.set_tlsext_host_name(host.encode("ascii")),
            "state": connection.set_connect_state,
        }
        orders = {
            "session first": ("session", "name", "state"),
            "name first": ("name", "session", "state"),
            "session last": ("name", "state", "session"),
        }
        for step in orders[order]:
            steps[step]()
        answer = get_from(connection, scene.url(host))
        kept = connection.get_session()
        # OpenSSL does not resume a session whose connection ended without this.
        connection.shutdown()
    return (answer["fingerprint"], answer["resumed"]), kept


@pytest.mark.parametrize("order", ORDERS)
class TestOrders:
    def test_same(self, scene: Scene, order: str) -> None:
        """The same identity and host: resumed, and again with the session of the resumption."""
        scene.activate_hosts()
        context = trusting(scene.ca_file)
        sights, session = [], None
        for _ in range(3):
            sight, session = _dial(scene, context, session, order=order)
            sights.append(sight)
        assert [(scene.alpha.fingerprint, resumed) for resumed in (False, True, True)] == sights

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (ALPHA_SERVICE, BETA_SERVICE),
            (ALPHA_SERVICE, NO_SERVICE),
            (NO_SERVICE, ALPHA_SERVICE),
            (None, BETA_SERVICE),
        ],
    )
    def test_another_identity(
        self, scene: Scene, order: str, before: str | None, after: str
    ) -> None:
        """Another identity, or none where there was one, or the other way: a full handshake."""
        scene.activate_services()
        leaves = {ALPHA_SERVICE: scene.alpha.fingerprint, BETA_SERVICE: scene.beta.fingerprint}
        context = trusting(scene.ca_file)
        with scope(before):
            _, session = _dial(scene, context, order=order)
        with scope(after):
            sight, _ = _dial(scene, context, session, order=order)
        assert (leaves.get(after), False) == sight

    def test_another_host(self, scene: Scene, order: str) -> None:
        """Another host with the same identity, and one without any: full handshakes."""
        rule = scene.files.identity("alpha", scene.alpha, hosts=[ALPHA_HOST, "beta.test"])
        scene.activate(rule)
        context = trusting(scene.ca_file)
        _, session = _dial(scene, context, order=order)
        sight, _ = _dial(scene, context, session, "beta.test", order)
        assert (scene.alpha.fingerprint, False) == sight
        sight, _ = _dial(scene, context, session, NOBODY, order)
        assert (None, False) == sight

    def test_none(self, scene: Scene, order: str) -> None:
        """Hosts without a rule: resumed, as it is without us."""
        scene.activate_hosts()
        context = trusting(scene.ca_file)
        _, session = _dial(scene, context, host=NOBODY, order=order)
        sight, _ = _dial(scene, context, session, NOBODY, order)
        assert (None, True) == sight

    def test_another_generation(self, scene: Scene, order: str) -> None:
        """After an activation of the same identity it is resumed; of another one, never."""
        context = trusting(scene.ca_file)
        scene.activate_file(scene.alpha)
        _, session = _dial(scene, context, order=order)
        for leaf, is_resumed in ((scene.alpha, True), (scene.beta, False)):
            scene.activate_file(leaf)
            sight, _ = _dial(scene, context, session, order=order)
            assert (leaf.fingerprint, is_resumed) == sight

    def test_from_before_the_activation(self, scene: Scene, order: str) -> None:
        """A session that presented nothing is not resumed once the host has an identity."""
        context = trusting(scene.ca_file)
        _, session = _dial(scene, context, order=order)
        scene.activate_hosts()
        sight, _ = _dial(scene, context, session, order=order)
        assert (scene.alpha.fingerprint, False) == sight


def test_older_session_of_none_is_resumed(scene: Scene) -> None:
    """The twin: one of a host that gets nothing, from before the activation, is resumed."""
    context = trusting(scene.ca_file)
    _, session = _dial(scene, context, host=NOBODY)
    scene.activate_hosts()
    sight, _ = _dial(scene, context, session, NOBODY)
    assert (None, True) == sight


def test_own_authorities(scene: Scene, client_authority: Authority) -> None:
    """A session that other authorities verified is not resumed: the server is refused."""
    context = trusting(scene.ca_file)
    right, wrong = (scene.files.authority(each) for each in (scene.authority, client_authority))
    scene.activate_file(scene.alpha, authorities=[right])
    _, session = _dial(scene, context)
    scene.activate_file(scene.alpha, authorities=[wrong])
    with pytest.raises(SSL.Error, match="certificate verify failed"):
        _dial(scene, context, session)


def test_own_certificate_and_pinned_authorities(scene: Scene, client_authority: Authority) -> None:
    """What pinned CAs have not verified is not resumed, though the program authenticates itself."""
    pinned = scene.files.identity(
        "alpha", scene.alpha, services=[ALPHA_SERVICE], authorities=[client_authority]
    )
    scene.activate(pinned)
    context = trusting(scene.ca_file)
    give_certificate(context, scene.beta)
    sight, session = _dial(scene, context)
    assert (scene.beta.fingerprint, False) == sight
    with scope(ALPHA_SERVICE), pytest.raises(SSL.Error, match="certificate verify failed"):
        _dial(scene, context, session)


def test_own_certificate_is_resumed(scene: Scene) -> None:
    """The twin: what the same pinned CAs have verified is resumed, with the same certificate."""
    pinned = scene.files.identity(
        "alpha", scene.alpha, services=[ALPHA_SERVICE], authorities=[scene.authority]
    )
    scene.activate(pinned)
    context = trusting(scene.ca_file)
    give_certificate(context, scene.beta)
    with scope(ALPHA_SERVICE):
        _, session = _dial(scene, context)
        sight, _ = _dial(scene, context, session)
    assert (scene.beta.fingerprint, True) == sight


@pytest.mark.parametrize("verifies", [True, False])
def test_verification_of_the_connection(scene: Scene, verifies: bool) -> None:
    """A session is of what was presented; a Connection may verify otherwise than its Context."""
    scene.activate_services(require_verified_server="all")
    context = trusting(scene.ca_file)
    context.set_verify(SSL.VERIFY_NONE if verifies else SSL.VERIFY_PEER)
    with scope(ALPHA_SERVICE):
        own = SSL.VERIFY_PEER if verifies else SSL.VERIFY_NONE
        sight, session = _dial(scene, context, verify=own)
    presented = scene.alpha.fingerprint if verifies else None
    assert (presented, False) == sight
    with scope(NO_SERVICE):
        sight, _ = _dial(scene, context, session)
    assert (None, not verifies) == sight


@pytest.mark.parametrize("late", [False, True], ids=["certificate first", "certificate last"])
def test_own_certificate(scene: Scene, late: bool) -> None:
    """A connection with a certificate of the program's own resumes no session of an identity."""
    scene.activate_hosts()
    context = trusting(scene.ca_file)
    _, session = _dial(scene, context)
    with socket.create_connection(("127.0.0.1", scene.server.port), TIMEOUT) as plain:
        connection = SSL.Connection(context, plain)
        if not late:
            give_certificate(connection, scene.beta)
        connection.set_session(session)
        connection.set_tlsext_host_name(ALPHA_HOST.encode("ascii"))
        connection.set_connect_state()
        if late:
            give_certificate(connection, scene.beta)
        answer = get_from(connection, scene.url(ALPHA_HOST))
        connection.shutdown()
    assert (scene.beta.fingerprint, False) == (answer["fingerprint"], answer["resumed"])


@pytest.mark.parametrize("taken", ["before", "after"])
def test_deactivated(scene: Scene, taken: str) -> None:
    """What an identity has opened is resumed for nobody once nothing is in force."""
    context = trusting(scene.ca_file)
    scene.activate_hosts()
    with socket.create_connection(("127.0.0.1", scene.server.port), TIMEOUT) as plain:
        connection = SSL.Connection(context, plain)
        connection.set_tlsext_host_name(ALPHA_HOST.encode("ascii"))
        connection.set_connect_state()
        assert scene.alpha.fingerprint == get_from(connection, scene.url(ALPHA_HOST))["fingerprint"]
        session = connection.get_session() if taken == "before" else None
        mxcert_runtime.deactivate()
        session = session or connection.get_session()
        connection.shutdown()
    sight, _ = _dial(scene, context, session)
    assert (None, False) == sight


def test_deactivated_session_of_nobody(scene: Scene) -> None:
    """The twin: a session without an identity is resumed as without us."""
    context = trusting(scene.ca_file)
    scene.activate_hosts()
    _, session = _dial(scene, context, host=NOBODY)
    mxcert_runtime.deactivate()
    sight, _ = _dial(scene, context, session, NOBODY)
    assert (None, True) == sight
