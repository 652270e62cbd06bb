"""Starts servers for a test and stops them all at its end; one call form for every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Generic, TypeVar

import pytest

from .pki import Authority, Leaf
from .server_tls import Demand, ServerTls, TlsVersion

Server = TypeVar("Server")

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class ServerFactory(Generic[Server]):
    """Each call makes and starts one more server; the stack that it was given stops them."""

    def __init__(
        self,
        make: Callable[..., AbstractContextManager[Server]],
        stack: ExitStack,
        authority: Authority,
        client_authority: Authority,
    ) -> None:
        self._make = make
        self._stack = stack
        self._authority = authority
        self._client_authority = client_authority

    def __call__(
        self,
        *,
        hosts: Sequence[str] = (),
        leaf: Leaf | None = None,
        leaves_by_name: Mapping[str, Leaf] | None = None,
        demand: Demand = Demand.ACCEPT,
        client_authorities: Sequence[Authority] | None = None,
        version: TlsVersion = TlsVersion.BOTH,
        ciphers: str | None = None,
        tickets: int = 2,
        alpn: Sequence[str] = (),
        **more: Any,
    ) -> Server:
        """A running server; without ``leaf`` its certificate is for ``hosts`` and LOCAL_HOSTS.

        ``client_authorities`` of ``None`` is the common client authority. ``more`` goes to the
        server's own class.
        """
        trusted = [self._client_authority] if client_authorities is None else client_authorities
        tls = ServerTls(
            leaf=leaf or self._authority.issue("server", hosts=(*LOCAL_HOSTS, *hosts)),
            client_authorities=tuple(trusted),
            demand=demand,
            version=version,
            leaves_by_name=leaves_by_name or {},
            ciphers=ciphers,
            tickets=tickets,
            alpn=tuple(alpn),
        )
        return self._stack.enter_context(self._make(tls, **more))


def factory_of(make: Callable[..., AbstractContextManager[Any]]) -> Any:
    """A fixture that starts such servers; those that need a program skip where it is not there."""

    @pytest.fixture
    def factory(
        server_stack: ExitStack, authority: Authority, client_authority: Authority
    ) -> ServerFactory[Any]:
        return ServerFactory(make, server_stack, authority, client_authority)

    return factory
