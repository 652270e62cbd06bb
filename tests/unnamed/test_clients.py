"""Clients of brokers, directories and databases, which name no host to TLS.

The server is no broker and no directory: what counts is over with the handshake, which each client
makes before it says a word.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ssl
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.names import LoopbackNames
from tests.support.pki import Authority
from tests.support.server_tls import ServerConnection, TlsVersion
from tests.support.tls_listener import TlsListener

from .conftest import Ground

#: connects to a host and port, and fails when it finds no server of its protocol
Client = Callable[[str, int, Ground], None]

KNOWN, NEVER = "alpha.test", "none.test"
#: py-amqp has these limits for the handshake too
_PATIENT = {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT}


def _import(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library about itself and others
        return pytest.importorskip(name)


def _quietly(call: Callable[[], Any]) -> None:
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        call()


def py_amqp(host: str, port: int, ground: Ground) -> None:
    """``amqp.Connection``, as kombu and celery use it."""
    amqp = _import("amqp")
    options = {"ca_certs": ground.ca_file, "cert_reqs": ssl.CERT_REQUIRED}
    connection = amqp.Connection(f"{host}:{port}", ssl=options, **_PATIENT)
    _quietly(connection.connect)


def py_amqp_with_context(host: str, port: int, ground: Ground) -> None:
    """The same with a context that the library makes."""
    amqp = _import("amqp")
    options = {"context": {"cafile": ground.ca_file}}
    connection = amqp.Connection(f"{host}:{port}", ssl=options, **_PATIENT)
    _quietly(connection.connect)


def directory(host: str, port: int, ground: Ground) -> None:
    """``ldap3.Connection`` with LDAPS."""
    ldap3 = _import("ldap3")
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ground.ca_file)
    server = ldap3.Server(host, port, use_ssl=True, tls=tls, get_info=ldap3.NONE)
    connection = ldap3.Connection(server)
    _quietly(lambda: connection.open(read_server_info=False))
    _quietly(connection.unbind)


def oracle(host: str, port: int, ground: Ground) -> None:
    """``oracledb.connect``, which is a thin driver by default."""
    oracledb = _import("oracledb")
    dsn = f"tcps://{host}:{port}/service?ssl_server_dn_match=off"
    _quietly(
        lambda: oracledb.connect(
            user="u", password="p", dsn=dsn, ssl_context=ground.context(), retry_count=0
        )
    )


def oracle_by_description(host: str, port: int, ground: Ground) -> None:
    """The same with credentials in a full description."""
    oracledb = _import("oracledb")
    address = f"(ADDRESS=(PROTOCOL=tcps)(HOST={host})(PORT={port}))"
    dsn = f"u/p@(DESCRIPTION={address}(CONNECT_DATA=(SERVICE_NAME=s)))"
    _quietly(lambda: oracledb.connect(dsn, ssl_context=ground.context()))


def oracle_by_parts(host: str, port: int, ground: Ground) -> None:
    """The same with its parts by name."""
    oracledb = _import("oracledb")
    params = oracledb.ConnectParams(user="u", password="p", protocol="tcps", service_name="s")
    _quietly(
        lambda: oracledb.connect(params=params, host=host, port=port, ssl_context=ground.context())
    )


def node(host: str, port: int, ground: Ground) -> None:
    """One connection of cassandra-driver, to an end point that has a name."""
    driver = _import("cassandra.connection")

    class Connection(driver.Connection):  # type: ignore[misc, name-defined]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._connect_socket()

    point = driver.DefaultEndPoint(host, port)
    _quietly(
        lambda: Connection(
            point, ssl_context=ground.context(), connect_timeout=TIMEOUT
        )._socket.close()
    )


CLIENTS: tuple[Client, ...] = (
    py_amqp,
    py_amqp_with_context,
    directory,
    oracle,
    oracle_by_description,
    oracle_by_parts,
    node,
)


class _Silent(TlsListener):
    """Shakes hands and closes: no client here waits for a word of its protocol."""

    def _converse(self, connection: ServerConnection, number: int) -> None:
        """Say nothing."""


@pytest.fixture
def ground(
    ground: Ground,
    server_stack: ExitStack,
    authority: Authority,
    client_authority: Authority,
    tls_version: TlsVersion,
) -> Ground:
    """The same with that server."""
    make = ServerFactory(_Silent, server_stack, authority, client_authority)
    return dataclasses.replace(ground, server=make(version=tls_version))


@pytest.fixture(autouse=True)
def names(loopback_names: LoopbackNames) -> LoopbackNames:
    """``*.test`` leads to the server."""
    return loopback_names


def _seen(client: Client, host: str, ground: Ground) -> str | None:
    before = len(ground.server.seen)
    client(host, ground.port, ground)
    return ground.server.seen.wait_for(before + 1)[before].fingerprint


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
class TestClients:
    def test_by_name(self, client: Client, ground: Ground) -> None:
        """Each name by its own rule, and a name without one by the default."""
        ground.activate(KNOWN, never=(NEVER,), unlisted_hosts="none")
        assert ground.alpha.fingerprint == _seen(client, KNOWN, ground)
        assert _seen(client, NEVER, ground) is None
        ground.activate(never=(NEVER,))
        assert _seen(client, NEVER, ground) is None
        assert ground.alpha.fingerprint == _seen(client, KNOWN, ground)
        assert [] == ground.warnings

    def test_by_address(self, client: Client, ground: Ground) -> None:
        """An address is no name: nothing, or what a rule gives the address."""
        ground.activate(never=(NEVER,))
        assert _seen(client, "127.0.0.1", ground) is None
        assert 1 == len(ground.warnings)
        ground.activate("127.0.0.1", never=(NEVER,))
        assert ground.alpha.fingerprint == _seen(client, "127.0.0.1", ground)


def test_a_list_of_databases(ground: Ground) -> None:
    """Where one of several hosts is dialled nobody knows which."""
    oracledb = _import("oracledb")
    ground.activate(KNOWN, never=(NEVER,))
    addresses = "".join(
        f"(ADDRESS=(PROTOCOL=tcps)(HOST={host})(PORT={ground.port}))" for host in (KNOWN, NEVER)
    )
    dsn = f"(DESCRIPTION=(ADDRESS_LIST={addresses})(CONNECT_DATA=(SERVICE_NAME=s)))"
    context = ground.context()
    _quietly(lambda: oracledb.connect(dsn, user="u", password="p", ssl_context=context))
    assert {None} == {each.fingerprint for each in ground.server.seen.wait_for(1)}
