"""Clients that know their endpoint and do not tell TLS all of it: py-amqp, ldap3, pytds and others.

Each resolves it by itself and dials an address, so that its socket does not tell. What is public
of it does: ``SSLTransport.host``, ``Server.host``, ``EndPoint.address``, ``ConnectParams.host``.
kombu and celery speak through py-amqp. The pools of oracledb connect in threads of their own, and
cassandra-driver knows its nodes by address: these go by rules for addresses. pytds names its host
to pyOpenSSL and carries its records by itself, so that no socket tells the port; mysql-connector's
socket has dialled an address and heard the server, which might be a proxy for all that it tells.
"""

from __future__ import annotations

import contextlib
from typing import Any

from ..base import host_dialled
from ..connections import endpoint_of_socket
from ..decisions import dialling, peek_leg
from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping


def _call_on_leg(wrapped: Any, args: Any, kwargs: Any, host: Any, port: Any) -> Any:
    if not isinstance(host, str) or peek_leg() is not None:
        return wrapped(*args, **kwargs)
    with dialling(host_dialled(host), port):
        return wrapped(*args, **kwargs)


def _connect_transport(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return _call_on_leg(wrapped, args, kwargs, instance.host, instance.port)


def _wrap_directory(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    server = (args[0] if args else kwargs["connection"]).server
    return _call_on_leg(wrapped, args, kwargs, server.host, server.port)


def _connect_node(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    endpoint = instance.endpoint
    return _call_on_leg(wrapped, args, kwargs, endpoint.address, getattr(endpoint, "port", None))


def _establish_channel(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    connection = getattr(args[0] if args else kwargs.get("tds_sock"), "conn", None)
    login = getattr(connection, "_login", None)
    if connection is None or login is None:  # no module of it tells its version
        return wrapped(*args, **kwargs)
    # A named instance has a port that its browser service tells, and the login does not know.
    port = endpoint_of_socket(connection.sock, login.server_name)[1] or login.port
    return _call_on_leg(wrapped, args, kwargs, login.server_name, port)


def _switch_to_ssl(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    port = getattr(instance, "server_port", None)  # that of a Unix socket has none
    return _call_on_leg(wrapped, args, kwargs, instance.server_host, port)


def _connect_database(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    host = port = None
    # What oracledb cannot read it says itself.
    with contextlib.suppress(Exception):
        host, port = _address_of_database(*args, **kwargs)
    return _call_on_leg(wrapped, args, kwargs, host, port)


def _address_of_database(
    dsn: Any = None, *, pool: Any = None, params: Any = None, **named: Any
) -> tuple[Any, Any]:
    """Host and port, each a list where there are several: which of them is dialled is not known."""
    from oracledb import ConnectParams

    if pool is not None:
        return None, None
    described = ConnectParams() if params is None else params.copy()
    where = {name: named[name] for name in ("config_dir", "host", "port") if name in named}
    described.set(**where)
    if dsn is not None:
        described.parse_connect_string(described.parse_dsn_with_credentials(dsn)[2] or dsn)
    return described.host, described.port


def _amqp_patches() -> tuple[Patch, ...]:
    owner = attribute_of("amqp.transport", "SSLTransport")
    return (Patch(owner, "connect", wrapping(_connect_transport)),)


def _ldap3_patches() -> tuple[Patch, ...]:
    owner = attribute_of("ldap3.core.tls", "Tls")
    return (Patch(owner, "wrap_socket", wrapping(_wrap_directory)),)


def _cassandra_patches() -> tuple[Patch, ...]:
    owner = attribute_of("cassandra.connection", "Connection")
    return (Patch(owner, "_initiate_connection", wrapping(_connect_node)),)


def _oracledb_patches() -> tuple[Patch, ...]:
    owner = attribute_of("oracledb.connection", "Connection")
    return (Patch(owner, "__init__", wrapping(_connect_database)),)


def _pytds_patches() -> tuple[Patch, ...]:
    return (Patch(attribute_of("pytds.tls"), "establish_channel", wrapping(_establish_channel)),)


def _mysql_patches() -> tuple[Patch, ...]:
    owner = attribute_of("mysql.connector.network", "MySQLSocket")
    return (Patch(owner, "switch_to_ssl", wrapping(_switch_to_ssl)),)


LIBRARIES = (
    Library(
        module="amqp.transport",
        patches=_amqp_patches,
        version_module="amqp",
        versions=KNOWN["amqp"].versions,
    ),
    Library(
        module="ldap3.core.tls",
        patches=_ldap3_patches,
        version_module="ldap3",
        versions=KNOWN["ldap3"].versions,
    ),
    Library(
        module="cassandra.connection",
        patches=_cassandra_patches,
        version_module="cassandra",
        versions=KNOWN["cassandra"].versions,
    ),
    Library(
        module="oracledb.connection",
        patches=_oracledb_patches,
        version_module="oracledb",
        versions=KNOWN["oracledb"].versions,
    ),
    Library(module="pytds.tls", patches=_pytds_patches),
    Library(
        module="mysql.connector.network",
        patches=_mysql_patches,
        version_module="mysql.connector",
        versions=KNOWN["mysql.connector"].versions,
    ),
)
