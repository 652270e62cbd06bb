"""grpcio, sync and aio: whatever a stub calls by, each call presents its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("grpc")


pytest.importorskip("h2")

import grpc
import wrapt

import mxcert_runtime
from mxcert_runtime.hooks import grpc_channels
from tests.clients.grpcio.scene import (
    AIO_CALLS,
    CALLS,
    HOSTS,
    GrpcScene,
    named,
    run_aio,
    unary_unary,
)
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf, pem


def _expected(scene: GrpcScene) -> list[str | None]:
    return [scene.alpha.fingerprint, scene.beta.fingerprint, None]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_every_call(scene: GrpcScene, channels: Any, call: Callable[[Any], str | None]) -> None:
    """Whatever a stub calls by, each host gets its own; without the plugin nobody does."""
    hosts = HOSTS[:3]
    assert [None] * 3 == [call(channels(host)) for host in hosts]
    scene.activate()
    assert _expected(scene) == [call(channels(host)) for host in hosts]
    mxcert_runtime.deactivate()
    assert [None] * 3 == [call(channels(host)) for host in hosts]


@pytest.mark.parametrize("call", AIO_CALLS, ids=lambda call: call.__name__)
def test_every_aio_call(scene: GrpcScene, call: Any) -> None:
    """The same for grpc.aio."""

    async def use(channel_of: Any, _: Any) -> list[str | None]:
        return [await call(channel_of(host)) for host in HOSTS[:3]]

    assert [None] * 3 == run_aio(scene, use)
    scene.activate()
    assert _expected(scene) == run_aio(scene, use)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_services_share_a_channel(
    scene: GrpcScene, channels: Any, call: Callable[[Any], str | None]
) -> None:
    """A call presents what its service is to present, on one channel, as often as that changes."""
    scene.activate()
    channel = channels("alpha.test")
    found = [call(channel)]
    with mxcert_runtime.service("Beta"):
        found += [call(channel), call(channel)]
    found.append(call(channel))
    alpha, beta = scene.alpha.fingerprint, scene.beta.fingerprint
    assert [alpha, beta, beta, alpha] == found
    assert 2 == len(scene.server.seen)


def test_services_share_an_aio_channel(scene: GrpcScene) -> None:
    """The same for grpc.aio."""
    scene.activate()

    async def use(channel_of: Any, call: Any) -> list[str | None]:
        channel = channel_of("alpha.test")
        found = [await call(channel)]
        with mxcert_runtime.service("Beta"):
            found.append(await call(channel))
        return [*found, await call(channel)]

    alpha, beta = scene.alpha.fingerprint, scene.beta.fingerprint
    assert [alpha, beta, alpha] == run_aio(scene, use)


def test_stub_method_is_kept(scene: GrpcScene, channels: Any, client_authority: Authority) -> None:
    """A method of a stub that was made before a renewal presents the renewed identity."""
    scene.activate()
    method = channels("alpha.test").unary_unary("/a/b")
    method(b"", timeout=20)
    renewed = client_authority.issue("alpha", server=False)
    entry = scene.files.identity("alpha", renewed, hosts=["alpha.test"])
    mxcert_runtime.activate(settings={"identity": [entry]})
    method(b"", timeout=20)
    method(b"", timeout=20)
    assert [scene.alpha.fingerprint] + 2 * [renewed.fingerprint] == list(scene.server.answers)


def test_same_settings_keep_the_connection(scene: GrpcScene, channels: Any) -> None:
    """Settings that present the same open nothing anew."""
    scene.activate()
    channel = channels("alpha.test")
    unary_unary(channel)
    scene.activate()
    assert scene.alpha.fingerprint == unary_unary(channel)
    assert 1 == len(scene.server.seen)


def test_closed_channel(scene: GrpcScene, channels: Any) -> None:
    """A closed channel opens nothing for another service, and raises as without us."""
    scene.activate()
    channel = channels("alpha.test")
    method = channel.unary_unary("/a/b")
    with mxcert_runtime.service("Beta"):
        method(b"", timeout=20)
    channel.close()
    for name in ("Beta", "Other"):
        with mxcert_runtime.service(name), pytest.raises(ValueError, match="closed channel"):
            method(b"", timeout=20)


def test_closed_aio_channel(scene: GrpcScene) -> None:
    """The same for grpc.aio, whose error is another one."""
    scene.activate()

    async def use(channel_of: Any, call: Any) -> None:
        channel = channel_of("alpha.test")
        method = channel.unary_unary("/a/b")
        with mxcert_runtime.service("Beta"):
            await method(b"", timeout=20)
        await channel.close()
        for name in ("Beta", "Other"):
            with mxcert_runtime.service(name), pytest.raises(grpc.aio.UsageError):
                await method(b"", timeout=20)

    run_aio(scene, use)
    assert [scene.beta.fingerprint] == list(scene.server.answers)


def test_composite_credentials(scene: GrpcScene, channels: Any) -> None:
    """Credentials of calls, as Google's libraries compose them, stay."""
    scene.activate()
    called: list[str] = []

    class Plugin(grpc.AuthMetadataPlugin):  # type: ignore[misc]
        def __call__(self, context: Any, callback: Any) -> None:
            called.append(context.method_name)
            callback((), None)

    tokens = grpc.metadata_call_credentials(Plugin())
    composite = grpc.composite_channel_credentials(scene.credentials(), tokens, tokens)
    twice = grpc.composite_channel_credentials(composite, tokens)
    for credentials in (composite, twice):
        assert scene.alpha.fingerprint == unary_unary(channels("alpha.test", credentials))
    assert ["b"] * 5 == called
    assert None is unary_unary(channels("nobody.test", composite))


def test_interceptors(scene: GrpcScene, channels: Any) -> None:
    """A channel behind interceptors is the same."""
    scene.activate()

    class Interceptor(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
        def intercept_unary_unary(self, go_on: Any, details: Any, request: Any) -> Any:
            return go_on(details, request)

    channel = grpc.intercept_channel(channels("alpha.test"), Interceptor())
    assert scene.alpha.fingerprint == unary_unary(channel)
    with mxcert_runtime.service("Beta"):
        assert scene.beta.fingerprint == unary_unary(channel)


def test_single_threaded_streams(scene: GrpcScene, channels: Any) -> None:
    """The experimental kind of stream is reached too."""
    scene.activate()
    from grpc.experimental import ChannelOptions

    options = [*named("alpha.test"), (ChannelOptions.SingleThreadedUnaryStream, 1)]
    with grpc.secure_channel(scene.target, scene.credentials(), options) as channel:
        method = channel.unary_stream("/a/b")
        for service, leaf in (("Other", scene.alpha), ("Beta", scene.beta)):
            with mxcert_runtime.service(service):
                next(iter(method(b"", timeout=20)))
            assert leaf.fingerprint == list(scene.server.answers)[-1]


@pytest.mark.filterwarnings("ignore::grpc.experimental.ExperimentalApiWarning")
def test_experimental_simple_call(scene: GrpcScene) -> None:
    """The calls without a channel are reached too."""
    scene.activate()
    from grpc.experimental import unary_unary as simple

    options = tuple(named("alpha.test"))
    simple(
        b"",
        scene.target,
        "/a/b",
        options=options,
        channel_credentials=scene.credentials(),
        timeout=20,
    )
    assert [scene.alpha.fingerprint] == list(scene.server.answers)


@pytest.mark.parametrize("is_before", [True, False])
def test_wrappers_of_others(
    scene: GrpcScene, monkeypatch: pytest.MonkeyPatch, is_before: bool
) -> None:
    """A tracing agent's wrappers, beneath ours or above, are called bound, and stay."""
    importlib.import_module("grpc._channel")
    if not is_before:
        scene.activate()
    called: set[str] = set()

    def trace(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        assert instance is not None
        called.add(wrapped.__qualname__)
        return wrapped(*args, **kwargs)

    targets = [(patch._owner(), patch._name) for patch in grpc_channels.LIBRARIES[0].patches()]
    for owner, name in targets:
        monkeypatch.setattr(owner, name, wrapt.FunctionWrapper(vars(owner)[name], trace))
    scene.activate()
    with scene.channel("alpha.test") as channel:
        assert {scene.alpha.fingerprint} == {call(channel) for call in CALLS}
    mxcert_runtime.deactivate()
    with scene.channel("alpha.test") as channel:
        assert None is unary_unary(channel)
    assert len(targets) - 1 == len(called)  # but for the streams of a single thread
    assert all(type(vars(owner)[name]) is wrapt.FunctionWrapper for owner, name in targets)


def test_server_of_grpcio(
    authority: Authority,
    client_authority: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
) -> None:
    """grpcio's own server demands a certificate, and tells whose it is."""
    from concurrent.futures import ThreadPoolExecutor

    class Names(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: context.auth_context()["x509_common_name"][0]
            )

    leaf = authority.issue("server", hosts=["localhost"])
    server = grpc.server(ThreadPoolExecutor(2), handlers=(Names(),))
    credentials = grpc.ssl_server_credentials(
        [(leaf.key_pem(), pem(leaf.certificate))], client_authority.pem, require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    trusting = grpc.ssl_channel_credentials(authority.pem)
    try:
        with (
            grpc.secure_channel(f"localhost:{port}", trusting) as channel,
            pytest.raises(grpc.RpcError, match="UNAVAILABLE"),
        ):
            channel.unary_unary("/a/b")(b"", timeout=20)
        entry = client_files.identity("alpha", alpha, hosts=["localhost"])
        mxcert_runtime.activate(settings={"identity": [entry]})
        with grpc.secure_channel(f"localhost:{port}", trusting) as channel:
            assert b"alpha" == channel.unary_unary("/a/b")(b"", timeout=20)
    finally:
        server.stop(None)
