"""py-amqp, ldap3 and cassandra-driver: they know the host by name and do not name it to TLS.

Each resolves it by itself and dials an address, so that its socket does not tell. Its public
attributes do: ``SSLTransport.host``, ``Server.host``, ``EndPoint.address``. kombu and celery speak
through py-amqp. oracledb dials by ``socket.create_connection`` or asyncio, and needs none of this.
"""

from __future__ import annotations

from typing import Any

from ..endpoint import host_dialled
from ..patching import Library, Patch, attribute_of, wrapping
from ..scope import dialling, peek_leg


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


def _amqp_patches() -> tuple[Patch, ...]:
    owner = attribute_of("amqp.transport", "SSLTransport")
    return (Patch(owner, "connect", wrapping(_connect_transport)),)


def _ldap3_patches() -> tuple[Patch, ...]:
    owner = attribute_of("ldap3.core.tls", "Tls")
    return (Patch(owner, "wrap_socket", wrapping(_wrap_directory)),)


def _cassandra_patches() -> tuple[Patch, ...]:
    owner = attribute_of("cassandra.connection", "Connection")
    return (Patch(owner, "_initiate_connection", wrapping(_connect_node)),)


LIBRARIES = (
    Library("amqp.transport", _amqp_patches, "amqp", ("2.0", "6")),
    Library("ldap3.core.tls", _ldap3_patches, "ldap3", ("2.4", "3")),
    Library("cassandra.connection", _cassandra_patches, "cassandra", ("3.20", "4")),
)
