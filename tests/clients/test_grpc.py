"""grpcio, sync and aio, by what the server saw of each call."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

pytest.importorskip("grpc")
pytest.importorskip("h2")

import grpc
import wrapt
from grpc.experimental import session_cache

import mxcert_runtime
from mxcert_runtime.connections import announcement
from mxcert_runtime.hooks import grpc_channels
from tests.clients.grpc_scene import AIO_CALLS, CALLS, GrpcScene, named, run_aio, unary_unary
from tests.support.client_files import ClientFiles
from tests.support.grpc_server import GrpcServer
from tests.support.pki import Authority, Leaf, pem
from tests.support.server_tls import Demand, ServerTls

HOSTS = "alpha.test", "beta.test", "nobody.test", "localhost"


@pytest.fixture
def start(
    server_stack: ExitStack, authority: Authority, client_authority: Authority
) -> Callable[..., GrpcServer]:
    """Starts servers that ask for a certificate."""

    def start(issuer: Authority = authority, demand: Demand = Demand.ACCEPT) -> GrpcServer:
        leaf = issuer.issue("server", hosts=(*HOSTS, "127.0.0.1"))
        tls = ServerTls(leaf, (client_authority,), demand, alpn=("h2",))
        return server_stack.enter_context(GrpcServer(tls))

    return start


@pytest.fixture
def scene(
    start: Callable[..., GrpcServer],
    client_files: ClientFiles,
    authority: Authority,
    alpha: Leaf,
    beta: Leaf,
) -> GrpcScene:
    return GrpcScene(start(), client_files, authority, alpha, beta)


@pytest.fixture
def channels(scene: GrpcScene) -> Iterator[Callable[..., Any]]:
    """Opens channels, and closes them in the end."""
    with ExitStack() as stack:
        yield lambda *args, **more: stack.enter_context(scene.channel(*args, **more))


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
