"""grpcio: which host's identity a channel has, by its target and its options."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

pytest.importorskip("grpc")


pytest.importorskip("h2")

import grpc

import mxcert_runtime
from tests.clients.grpcio.scene import GrpcScene, named, unary_unary
from tests.support.grpc_server import GrpcServer


@pytest.mark.parametrize(
    "target", ["localhost:{}", "dns:localhost:{}", "dns:///localhost:{}", "ipv4:127.0.0.1:{}"]
)
def test_targets(scene: GrpcScene, target: str) -> None:
    """A target's own name counts, on its port; without the port's rule there is nothing."""
    port = scene.server.port
    for given, expected in ((port, scene.alpha.fingerprint), (port % 60000 + 1, None)):
        hosts = [f"localhost:{given}", f"127.0.0.1:{given}"]
        entry = scene.files.identity("alpha", scene.alpha, hosts=hosts)
        mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [entry]})
        credentials = scene.credentials()
        with grpc.secure_channel(target.format(port), credentials) as channel:
            assert expected == unary_unary(channel)


@pytest.mark.parametrize("option", ["grpc.ssl_target_name_override", "grpc.default_authority"])
def test_name_that_is_verified_counts(scene: GrpcScene, option: str) -> None:
    """Of a target whose name is overridden the other name counts, and its own does not."""
    scene.activate()
    target = f"localhost:{scene.server.port}"
    credentials = scene.credentials()
    with grpc.secure_channel(target, credentials, [(option, "alpha.test")]) as channel:
        assert scene.alpha.fingerprint == unary_unary(channel)
    entry = scene.files.identity("alpha", scene.alpha, hosts=["localhost"])
    mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [entry]})
    with grpc.secure_channel(target, credentials, [(option, "alpha.test")]) as channel:
        assert None is unary_unary(channel)


def test_uncertain_target(scene: GrpcScene, caplog: pytest.LogCaptureFixture) -> None:
    """A target of several addresses gets nothing, and one warning says so."""
    entry = scene.files.identity("alpha", scene.alpha, hosts=["127.0.0.1"])
    mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [entry]})
    target = f"ipv4:{scene.target},{scene.target}"
    for _ in range(2):
        with grpc.secure_channel(target, scene.credentials(), named("127.0.0.1")) as channel:
            assert None is unary_unary(channel)
    assert 1 == sum("not certain for which host" in each for each in caplog.messages)


def test_options_that_lead_to_other_hosts(
    scene: GrpcScene, start: Callable[..., GrpcServer], caplog: pytest.LogCaptureFixture
) -> None:
    """A lookup service, to which gRPC shows the channel's credentials, sees no identity."""
    scene.activate()
    lookup = start()
    routes = {
        "grpcKeybuilders": [{"names": [{"service": "a"}]}],
        "lookupService": f"localhost:{lookup.port}",
        "cacheSizeBytes": 1000,
    }
    policy = {
        "routeLookupConfig": routes,
        "childPolicy": [{"pick_first": {}}],
        "childPolicyConfigTargetFieldName": "target",
    }
    config = json.dumps({"loadBalancingConfig": [{"rls_experimental": policy}]})
    options = [*named("alpha.test"), ("grpc.service_config", config)]
    with (
        grpc.secure_channel(scene.target, scene.credentials(), options) as channel,
        pytest.raises(grpc.RpcError),
    ):
        unary_unary(channel)
    assert [None] == [each.fingerprint for each in lookup.seen]
    assert "Leave out the option `grpc.service_config`" in caplog.text


def test_options_that_are_an_iterator(scene: GrpcScene) -> None:
    """They are read by us and by gRPC, on each channel that is made of them."""
    scene.activate()
    with grpc.secure_channel(
        scene.target, scene.credentials(), iter(named("alpha.test"))
    ) as channel:
        assert scene.alpha.fingerprint == unary_unary(channel)
        with mxcert_runtime.service("Beta"):
            assert scene.beta.fingerprint == unary_unary(channel)
    assert ["alpha.test"] * 2 == [each.sni for each in scene.server.seen]
