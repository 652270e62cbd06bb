"""What is told of a connection that failed: that its client named no host, and the true port."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from typing import Any

import pytest

import mxcert_runtime
from tests.diagnosis.told import facts_of, warnings_of
from tests.support.factories import ServerFactory
from tests.support.mail_server import StartTlsServer
from tests.support.names import LoopbackNames
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import Demand, TlsVersion
from tests.support.tls_server import TlsServer

from .conftest import ADDRESS, HOST, Ground
from .dialling import by_address, created, dial, in_memory, wrapped_first
from .test_misattribution import _tunnel


@pytest.fixture
def demanding(tls_server: ServerFactory[TlsServer], tls_version: TlsVersion) -> TlsServer:
    """A server that takes nobody without a certificate."""
    return tls_server(version=tls_version, demand=Demand.DEMAND, hosts=["alpha.test"])


def _told(ground: Ground, call: Callable[[], Any]) -> dict[str, str]:
    ground.caplog.clear()
    with pytest.raises((OSError, smtplib.SMTPException)):
        call()
    failures = [each for each in warnings_of(ground.caplog) if " | " in each]
    return facts_of(failures[-1])


def test_no_name(ground: Ground, demanding: TlsServer) -> None:
    """The address is told, that no name was, and what to do about it."""
    ground.activate(never=("other.test",))
    told = _told(ground, lambda: by_address(HOST, demanding.port, ground.context()))
    assert told["endpoint"] == f"{ADDRESS}:{demanding.port} (the client named no host)"
    assert 'unnamed_hosts = "none"' in told["decision"]
    assert "`server_hostname`" in told["remedy"]
    assert "(MXCERT_UNNAMED_HOSTS=offer)" in told["remedy"]


@pytest.mark.parametrize("way", [created, wrapped_first], ids=lambda way: way.__name__)
def test_name_that_was_dialled(way: Any, ground: Ground, demanding: TlsServer) -> None:
    """The name is told, and where it comes from."""
    ground.activate(never=(HOST,))
    told = _told(ground, lambda: way(HOST, demanding.port, ground.context()))
    known = "the client named no host; this is the name that it dialled"
    assert told["endpoint"] == f"{HOST}:{demanding.port} ({known})"
    assert f"`mxcert probe https://{HOST}:{demanding.port}`" in told["remedy"]


def test_nothing_is_known(ground: Ground, demanding: TlsServer) -> None:
    """Memory BIOs tell neither name nor address nor port."""
    ground.activate(never=("other.test",))
    told = _told(ground, lambda: in_memory(HOST, demanding.port, ground.context()))
    assert told["endpoint"] == "an unnamed host (the client named no host)"


def test_named(ground: Ground, demanding: TlsServer) -> None:
    """The port is told where no rule has one: it is that of a peer who had not said a word."""
    ground.activate(unlisted_hosts="none")

    def call() -> Any:
        plain = dial(ADDRESS, demanding.port)
        with ground.context().wrap_socket(plain, server_hostname="alpha.test") as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(1)

    told = _told(ground, call)
    assert told["endpoint"] == f"alpha.test:{demanding.port}"
    assert f"`mxcert probe https://alpha.test:{demanding.port}`" in told["remedy"]


def test_behind_a_proxy(ground: Ground, demanding: TlsServer, plain_proxy: ConnectProxy) -> None:
    """The port of a proxy is not told for that of the host behind it."""
    ground.activate(unlisted_hosts="none")

    def call() -> Any:
        plain = _tunnel(ADDRESS, demanding.port, "alpha.test", plain_proxy.port)
        with ground.context().wrap_socket(plain, server_hostname="alpha.test") as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(1)

    told = _told(ground, call)
    assert told["endpoint"] == "alpha.test"
    assert "`mxcert probe https://alpha.test`" in told["remedy"]


def test_starttls(
    ground: Ground,
    smtp_server: ServerFactory[StartTlsServer],
    tls_version: TlsVersion,
    loopback_names: LoopbackNames,
) -> None:
    """A mail server that was dialled by the name that TLS verifies keeps its port."""
    server = smtp_server(hosts=["alpha.test"], version=tls_version, demand=Demand.DEMAND)
    ground.activate(unlisted_hosts="none")

    def call() -> Any:
        with smtplib.SMTP("alpha.test", server.port) as mail:
            mail.starttls(context=ssl.create_default_context(cafile=ground.ca_file))
            mail.ehlo()

    assert _told(ground, call)["endpoint"] == f"alpha.test:{server.port}"


def test_explained_before_it_happens(ground: Ground) -> None:
    """``explain`` of an address says what a client gets that names no host."""
    ground.activate(never=(HOST,))
    (warning,) = mxcert_runtime.explain(f"https://{ADDRESS}/").warnings
    assert "names no host gets none (the client named no host" in warning
    ground.activate(never=(HOST,), unnamed_hosts="offer")
    assert () == mxcert_runtime.explain(f"https://{ADDRESS}/").warnings
