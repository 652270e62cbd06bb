"""A gRPC server under the names that a channel verifies, and calls of it by grpcio."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mxcert_runtime
from tests.support.client_files import ClientFiles
from tests.support.grpc_server import GrpcServer
from tests.support.pki import Authority, Leaf

HOSTS = "alpha.test", "beta.test", "nobody.test", "localhost"
#: what a call may take, where a server is refused
LIMIT = 20


@dataclass(frozen=True)
class GrpcScene:
    """Nothing is activated yet. Hosts without a rule get nothing, unless a test says more."""

    server: GrpcServer
    files: ClientFiles
    authority: Authority
    alpha: Leaf
    beta: Leaf

    def activate(self, **more: Any) -> None:
        """``alpha.test`` gets alpha, ``beta.test`` beta, as does the service."""
        alpha = self.files.identity("alpha", self.alpha, hosts=["alpha.test"])
        beta = self.files.identity("beta", self.beta, hosts=["beta.test"], services=["Beta"])
        settings = {"unlisted_hosts": "none", "identity": [alpha, beta], **more}
        mxcert_runtime.activate(settings=settings)

    @property
    def target(self) -> str:
        """The server by its address; the name that is verified, an option tells."""
        return f"127.0.0.1:{self.server.port}"

    def credentials(self) -> Any:
        """Those of a program that trusts the server and has no certificate."""
        import grpc

        return grpc.ssl_channel_credentials(self.authority.pem)

    def channel(self, host: str | None, credentials: Any = None, **more: Any) -> Any:
        """A channel to the server under a name."""
        import grpc

        return grpc.secure_channel(
            self.target, credentials or self.credentials(), options=named(host), **more
        )


def named(host: str | None) -> list[tuple[str, str]]:
    """The options of a channel that verifies the name."""
    return [] if host is None else [("grpc.ssl_target_name_override", host)]


def shown(answer: bytes) -> str | None:
    """The fingerprint that the server has answered with."""
    fingerprint: str | None = json.loads(answer)["fingerprint"]
    return fingerprint


def unary_unary(channel: Any) -> str | None:
    return shown(channel.unary_unary("/a/b")(b"", timeout=LIMIT))


def with_call(channel: Any) -> str | None:
    return shown(channel.unary_unary("/a/b").with_call(b"", timeout=LIMIT)[0])


def future(channel: Any) -> str | None:
    return shown(channel.unary_unary("/a/b").future(b"", timeout=LIMIT).result())


def unary_stream(channel: Any) -> str | None:
    return shown(next(iter(channel.unary_stream("/a/b")(b"", timeout=LIMIT))))


def stream_unary(channel: Any) -> str | None:
    return shown(channel.stream_unary("/a/b")(iter([b""]), timeout=LIMIT))


def stream_unary_with_call(channel: Any) -> str | None:
    return shown(channel.stream_unary("/a/b").with_call(iter([b""]), timeout=LIMIT)[0])


def stream_unary_future(channel: Any) -> str | None:
    return shown(channel.stream_unary("/a/b").future(iter([b""]), timeout=LIMIT).result())


def stream_stream(channel: Any) -> str | None:
    return shown(next(iter(channel.stream_stream("/a/b")(iter([b""]), timeout=LIMIT))))


#: every way to call
CALLS: tuple[Callable[[Any], str | None], ...] = (
    *(unary_unary, with_call, future, unary_stream),
    *(stream_unary, stream_unary_with_call, stream_unary_future, stream_stream),
)


async def aio_unary_unary(channel: Any) -> str | None:
    return shown(await channel.unary_unary("/a/b")(b"", timeout=LIMIT))


async def aio_unary_stream(channel: Any) -> str | None:
    return shown(await channel.unary_stream("/a/b")(b"", timeout=LIMIT).read())


async def aio_stream_unary(channel: Any) -> str | None:
    return shown(await channel.stream_unary("/a/b")(iter([b""]), timeout=LIMIT))


async def aio_stream_stream(channel: Any) -> str | None:
    return shown(await channel.stream_stream("/a/b")(iter([b""]), timeout=LIMIT).read())


AIO_CALLS = aio_unary_unary, aio_unary_stream, aio_stream_unary, aio_stream_stream


def run_aio(scene: GrpcScene, use: Callable[[Any, Any], Any]) -> Any:
    """What ``use(channel_of, call)`` gives in a loop; ``channel_of(host)`` opens a channel."""

    async def main() -> Any:
        import grpc.aio

        opened: list[Any] = []

        def channel_of(host: str | None) -> Any:
            credentials = scene.credentials()
            channel = grpc.aio.secure_channel(scene.target, credentials, options=named(host))
            opened.append(channel)
            return channel

        try:
            return await use(channel_of, aio_unary_unary)
        finally:
            for each in opened:
                await each.close()

    return asyncio.run(main())
