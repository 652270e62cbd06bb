"""A kept connection serves the same decision again, and no other one."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import pytest

import mxcert_runtime
from tests.pools import clients
from tests.pools.clients import Client, name_of, scope
from tests.support.proxy import ConnectProxy
from tests.support.scene import ALPHA_HOST, ALPHA_SERVICE, BETA_SERVICE, NO_SERVICE, NOBODY, Scene

each_client = pytest.mark.parametrize("client", clients.ALL, ids=name_of)
each_unbound = pytest.mark.parametrize(
    "client", [*clients.UNBOUND, *clients.ONE_IN_USE], ids=name_of
)
each_proxied = pytest.mark.parametrize("client", clients.PROXIED, ids=name_of)

TURNS = (ALPHA_SERVICE, BETA_SERVICE) * 5


def _ask(
    client: Client,
    scene: Scene,
    services: Sequence[str | None],
    proxy: str | None = None,
    host: str = ALPHA_HOST,
) -> list[Any]:
    seen = []
    with client(scene.ca_file, proxy) as get:
        for service in services:
            with scope(service):
                seen.append(get(scene.url(host))["fingerprint"])
    return seen


class TestAlternatingServices:
    @each_unbound
    def test_one_warm_connection_each(self, client: Client, scene: Scene) -> None:
        """Two services in turn on one host: ten requests, two connections."""
        scene.activate_services()
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint] * 5
        assert expected == _ask(client, scene, TURNS)
        assert 2 == scene.server.connections

    @pytest.mark.parametrize("client", clients.ONE_IN_ALL, ids=name_of)
    def test_room_for_one_in_all(self, client: Client, scene: Scene) -> None:
        """Where one connection is all there may be, each service dials anew: right, if slow."""
        scene.activate_services()
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint] * 5
        assert expected == _ask(client, scene, TURNS)
        assert 10 == scene.server.connections

    @each_unbound
    def test_beside_the_rule_of_the_host(self, client: Client, scene: Scene) -> None:
        """Code that names no service keeps the host's own connection."""
        scene.activate(
            scene.files.identity("alpha", scene.alpha, hosts=[ALPHA_HOST]),
            scene.files.identity("beta", scene.beta, services=[BETA_SERVICE]),
        )
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint] * 3
        assert expected == _ask(client, scene, (None, BETA_SERVICE) * 3)
        assert 2 == scene.server.connections

    @each_proxied
    def test_through_a_proxy(self, client: Client, scene: Scene, plain_proxy: ConnectProxy) -> None:
        """The same behind an http proxy, where there are tunnels: two of them."""
        scene.activate_services()
        expected = [scene.alpha.fingerprint, scene.beta.fingerprint] * 5
        assert expected == _ask(client, scene, TURNS, plain_proxy.url())
        assert [2, 2] == [plain_proxy.connections, scene.server.connections]


class TestNothingDiffers:
    """Where decisions are alike a pool is used as it is without us."""

    @each_client
    def test_without_us(self, client: Client, scene: Scene) -> None:
        """What all others are compared with: one connection."""
        assert [None] * 4 == _ask(client, scene, (None,) * 4)
        assert 1 == scene.server.connections

    @each_client
    def test_services_of_one_rule(self, client: Client, scene: Scene) -> None:
        """Services whose identity is the host's own, and code without one, share a connection."""
        services = [ALPHA_SERVICE, BETA_SERVICE]
        scene.activate(
            scene.files.identity("alpha", scene.alpha, hosts=[ALPHA_HOST], services=services)
        )
        seen = _ask(client, scene, [ALPHA_SERVICE, None, BETA_SERVICE, "Module.Unknown"] * 2)
        assert [scene.alpha.fingerprint] * 8 == seen
        assert 1 == scene.server.connections

    @each_client
    def test_two_services_that_the_host_has_no_rule_for(self, client: Client, scene: Scene) -> None:
        """Two services with one identity share a connection where the host has no rule."""
        services = [ALPHA_SERVICE, BETA_SERVICE]
        scene.activate(scene.files.identity("alpha", scene.alpha, services=services))
        assert [scene.alpha.fingerprint] * 6 == _ask(client, scene, services * 3)
        assert 1 == scene.server.connections

    @each_client
    def test_none_and_no_rule(self, client: Client, scene: Scene) -> None:
        """A service that gets none shares the connection of a host without a rule."""
        scene.activate_services()
        assert [None] * 6 == _ask(client, scene, (NO_SERVICE, None) * 3, host=NOBODY)
        assert 1 == scene.server.connections

    @each_client
    def test_none_by_host(self, client: Client, scene: Scene) -> None:
        """A connection from before the activation is kept for a host that gets none."""
        with client(scene.ca_file, None) as get:
            assert get(scene.url(NOBODY))["fingerprint"] is None
            scene.activate_hosts(no_certificate={"hosts": [NOBODY]})
            assert get(scene.url(NOBODY))["fingerprint"] is None
        assert 1 == scene.server.connections

    @each_client
    def test_the_server_chooses(self, client: Client, scene: Scene) -> None:
        """Where the server's request chooses, its connection is kept, too."""
        scene.activate_hosts(unlisted_hosts="offer")
        assert [scene.alpha.fingerprint] * 4 == _ask(client, scene, (None,) * 4, host=NOBODY)
        assert 1 == scene.server.connections

    @each_proxied
    def test_tunnel(self, client: Client, scene: Scene, plain_proxy: ConnectProxy) -> None:
        """One tunnel for a host with a rule, whatever service is named."""
        scene.activate_hosts()
        services = (None, "Module.Unknown") * 2
        assert [scene.alpha.fingerprint] * 4 == _ask(client, scene, services, plain_proxy.url())
        assert [1, 1] == [plain_proxy.connections, scene.server.connections]


class TestGenerations:
    @each_client
    def test_another_identity(self, client: Client, scene: Scene) -> None:
        """A second activation with another identity: the kept connection is not used."""
        with client(scene.ca_file, None) as get:
            scene.activate_file(scene.alpha)
            assert scene.alpha.fingerprint == get(scene.url())["fingerprint"]
            scene.activate_file(scene.beta)
            assert [scene.beta.fingerprint] * 2 == [
                get(scene.url())["fingerprint"] for _ in range(2)
            ]
        assert 2 == scene.server.connections

    @each_client
    def test_twin_same_identity(self, client: Client, scene: Scene) -> None:
        """The twin: with the same identity it is kept."""
        with client(scene.ca_file, None) as get:
            for _ in range(3):
                scene.activate_file(scene.alpha)
                assert scene.alpha.fingerprint == get(scene.url())["fingerprint"]
        assert 1 == scene.server.connections

    @each_client
    def test_another_identity_of_a_service(self, client: Client, scene: Scene) -> None:
        """The same where a service made the difference."""
        seen = []
        with client(scene.ca_file, None) as get, scope(ALPHA_SERVICE):
            for leaf in (scene.alpha, scene.alpha, scene.beta):
                scene.activate(scene.files.identity("one", leaf, services=[ALPHA_SERVICE]))
                seen.append(get(scene.url())["fingerprint"])
        assert [scene.alpha.fingerprint] * 2 + [scene.beta.fingerprint] == seen
        assert 2 == scene.server.connections

    @each_client
    def test_deactivated(self, client: Client, scene: Scene) -> None:
        """After deactivation a kept connection has what it had, and a new one has nothing."""
        with client(scene.ca_file, None) as get:
            scene.activate_hosts()
            assert scene.alpha.fingerprint == get(scene.url())["fingerprint"]
            mxcert_runtime.deactivate()
            answer = get(scene.url())
        kept = scene.alpha.fingerprint if answer["connection"] == 1 else None
        assert kept == answer["fingerprint"]
        with client(scene.ca_file, None) as get:
            assert get(scene.url())["fingerprint"] is None

    @each_client
    def test_twin_deactivated_without_identity(self, client: Client, scene: Scene) -> None:
        """The twin: one that presented nothing is kept."""
        with client(scene.ca_file, None) as get:
            scene.activate_hosts()
            get(scene.url(NOBODY))
            mxcert_runtime.deactivate()
            assert get(scene.url(NOBODY))["fingerprint"] is None
        assert 1 == scene.server.connections


@pytest.mark.parametrize("client", clients.UNBOUND, ids=name_of)
def test_other_settings_while_it_dials(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked for under other settings than it was opened under serves one request."""
    resolve, resolved = socket.getaddrinfo, []

    def change_settings(*args: Any, **kwargs: Any) -> Any:
        if not resolved:
            scene.activate_file(scene.beta)
        resolved.append(args[0])
        return resolve(*args, **kwargs)

    scene.activate_file(scene.alpha)
    with client(scene.ca_file, None) as get:
        monkeypatch.setattr(socket, "getaddrinfo", change_settings)
        seen = [get(scene.url())["fingerprint"]]
        for _ in range(2):
            scene.activate_file(scene.alpha)
            seen.append(get(scene.url())["fingerprint"])
    assert [scene.beta.fingerprint, *[scene.alpha.fingerprint] * 2] == seen
    assert 2 == scene.server.connections
