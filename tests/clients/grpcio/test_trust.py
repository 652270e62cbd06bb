"""grpcio: whose certificate, whose CAs and whose sessions a channel goes by."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

pytest.importorskip("grpc")


pytest.importorskip("h2")

import grpc
from grpc.experimental import session_cache

import mxcert_runtime
from mxcert_runtime.connections import announcement
from tests.clients.grpcio.scene import GrpcScene, named, unary_unary
from tests.support.grpc_server import GrpcServer
from tests.support.pki import Authority, pem


@pytest.mark.parametrize("is_one_channel", [True, False])
def test_sessions_that_are_cached(scene: GrpcScene, is_one_channel: bool) -> None:
    """What one identity has opened no other one resumes, and nobody does afterwards."""
    scene.activate()
    options = [
        *named("alpha.test"),
        ("grpc.ssl_session_cache", session_cache.ssl_session_cache_lru(9)),
    ]
    found = []
    with ExitStack() as stack:

        def channel() -> Any:
            opened = grpc.secure_channel(scene.target, scene.credentials(), options)
            return stack.enter_context(opened)

        kept = channel()
        for service in ("Beta", "Other", "Beta"):
            with mxcert_runtime.service(service):
                found.append(unary_unary(kept if is_one_channel else channel()))
        mxcert_runtime.deactivate()
        found.append(unary_unary(channel()))
    alpha, beta = scene.alpha.fingerprint, scene.beta.fingerprint
    assert [beta, alpha, beta, None] == found


def test_own_certificate(scene: GrpcScene, channels: Any) -> None:
    """The program's own key is left alone."""
    scene.activate()
    own = grpc.ssl_channel_credentials(
        scene.authority.pem, scene.beta.key_pem(), pem(scene.beta.certificate)
    )
    assert scene.beta.fingerprint == unary_unary(channels("alpha.test", own))


@pytest.mark.parametrize("is_own", [False, True])
def test_pinned_authorities(
    scene: GrpcScene, start: Callable[..., GrpcServer], is_own: bool
) -> None:
    """They alone verify, whatever the program trusts, with a certificate of its own too."""
    other = Authority("Other root")
    stranger = start(other)
    entry = scene.files.identity(
        "alpha", scene.alpha, hosts=["alpha.test"], authorities=[scene.authority]
    )
    mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": [entry]})
    own = (scene.beta.key_pem(), pem(scene.beta.certificate)) if is_own else ()
    trusting = grpc.ssl_channel_credentials(other.pem, *own)
    leaf = scene.beta if is_own else scene.alpha
    for server, host in ((scene.server, "alpha.test"), (stranger, "nobody.test")):
        with grpc.secure_channel(f"127.0.0.1:{server.port}", trusting, named(host)) as channel:
            unary_unary(channel)
    with (
        grpc.secure_channel(f"127.0.0.1:{stranger.port}", trusting, named("alpha.test")) as channel,
        pytest.raises(grpc.RpcError, match="UNAVAILABLE"),
    ):
        unary_unary(channel)
    assert [leaf.fingerprint] == list(scene.server.answers)
    assert [leaf.fingerprint if is_own else None] == list(stranger.answers)
    assert [leaf.fingerprint if is_own else None] == [each.fingerprint for each in stranger.seen]


def test_extra_authorities_join_default_trust(
    scene: GrpcScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra CAs count beside gRPC's default roots, and not beside the program's own."""
    monkeypatch.delenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", raising=False)
    scene.activate(ca=[str(scene.files.authority(scene.authority))])
    with grpc.secure_channel(
        scene.target, grpc.ssl_channel_credentials(), named("alpha.test")
    ) as channel:
        assert scene.alpha.fingerprint == unary_unary(channel)
    own = grpc.ssl_channel_credentials(Authority("Other root").pem)
    with (
        grpc.secure_channel(scene.target, own, named("alpha.test")) as channel,
        pytest.raises(grpc.RpcError, match="UNAVAILABLE"),
    ):
        unary_unary(channel)


def test_offered_by_default(
    scene: GrpcScene, channels: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Where only the server's request could choose, nothing is presented; one warning says so."""
    announcement._warned_of_unseen.clear()
    scene.activate(unlisted_hosts="offer")
    assert [None] * 2 == [unary_unary(channels(host)) for host in ("nobody.test", "localhost")]
    assert 1 == sum("do not show the server's request" in each for each in caplog.messages)
