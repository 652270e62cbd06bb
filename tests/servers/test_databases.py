"""Clients of PostgreSQL, MariaDB and Redis: what the database says of the certificate."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.mariadb import MariadbServer
from tests.support.postgresql import ANYONE, QUESTION, PostgresqlServer, subject_as_shown
from tests.support.redis_server import RedisServer
from tests.support.server_tls import Demand

from .conftest import HOSTS, KNOWN, NOBODY, Ground

pytestmark = pytest.mark.any_python

#: connects to a host and port; what the server says
PostgresClient = Callable[[str, int, Ground], Any]
#: connects to a host and port as a user
MariadbClient = Callable[[str, int, str, Ground], None]
RedisClient = Callable[[str, int, Ground], Any]


def asyncpg_by_context(host: str, port: int, ground: Ground) -> Any:
    """``asyncpg.connect`` with a context."""
    asyncpg = pytest.importorskip("asyncpg")

    async def ask() -> Any:
        connection = await asyncpg.connect(
            host=host, port=port, user=ANYONE, database="postgres", ssl=ground.context()
        )
        try:
            return await connection.fetchrow(QUESTION)
        finally:
            await connection.close()

    return asyncio.run(ask())


def asyncpg_by_words(host: str, port: int, ground: Ground) -> Any:
    """The same by ``sslmode``, for which it makes a context of its own."""
    asyncpg = pytest.importorskip("asyncpg")

    async def ask() -> Any:
        words = f"sslmode=verify-full&sslrootcert={ground.ca_file}"
        connection = await asyncpg.connect(
            f"postgresql://{ANYONE}@{host}:{port}/postgres?{words}", timeout=TIMEOUT
        )
        try:
            return await connection.fetchrow(QUESTION)
        finally:
            await connection.close()

    return asyncio.run(ask())


def pg8000_native(host: str, port: int, ground: Ground) -> Any:
    """``pg8000.native.Connection``."""
    pg8000 = pytest.importorskip("pg8000.native")
    context = ground.context()
    connection = pg8000.Connection(
        ANYONE, host=host, port=port, database="postgres", ssl_context=context
    )
    with contextlib.closing(connection):
        return connection.run(QUESTION)[0]


@pytest.mark.parametrize("client", [asyncpg_by_context, asyncpg_by_words, pg8000_native])
def test_postgresql(
    client: PostgresClient, postgresql_server: ServerFactory[PostgresqlServer], ground: Ground
) -> None:
    """It shows the subject and serial number to the name with a rule, nothing to the other."""
    server = postgresql_server(hosts=HOSTS)
    subject, serial = client(KNOWN, server.port, ground)
    certificate = ground.alpha.certificate
    expected = (subject_as_shown(ground.alpha.subject), certificate.serial_number)
    assert expected == (subject, int(serial))
    assert [None, None] == list(client(NOBODY, server.port, ground))


def pymysql_client(host: str, port: int, user: str, ground: Ground) -> None:
    """``pymysql.connect``."""
    pymysql = pytest.importorskip("pymysql")
    connection = pymysql.connect(host=host, port=port, user=user, ssl=ground.context())
    with contextlib.closing(connection):
        connection.ping(reconnect=False)


def aiomysql_client(host: str, port: int, user: str, ground: Ground) -> None:
    """``aiomysql.connect``."""
    aiomysql = pytest.importorskip("aiomysql")

    async def ask() -> None:
        context = ground.context()
        connection = await aiomysql.connect(host=host, port=port, user=user, ssl=context)
        try:
            await connection.ping(reconnect=False)
        finally:
            connection.close()

    asyncio.run(ask())


@pytest.mark.parametrize("client", [pymysql_client, aiomysql_client])
def test_mariadb(
    client: MariadbClient, mariadb_server: ServerFactory[MariadbServer], ground: Ground
) -> None:
    """An account that this certificate alone opens is open by the name with a rule."""
    server = mariadb_server(hosts=HOSTS)
    user = server.account_for(ground.alpha)
    client(KNOWN, server.port, user, ground)
    errors = pytest.importorskip("pymysql").err
    with pytest.raises(errors.OperationalError, match="Access denied"):
        client(NOBODY, server.port, user, ground)


def redis_client(host: str, port: int, ground: Ground) -> Any:
    """``redis.Redis``."""
    redis = pytest.importorskip("redis")
    url = f"rediss://{host}:{port}?ssl_ca_certs={ground.ca_file}"
    with redis.Redis.from_url(url, retry=None) as client:
        return client.ping()


def redis_asyncio_client(host: str, port: int, ground: Ground) -> Any:
    """``redis.asyncio.Redis``."""
    redis = pytest.importorskip("redis.asyncio")

    async def ask() -> Any:
        url = f"rediss://{host}:{port}?ssl_ca_certs={ground.ca_file}"
        async with redis.Redis.from_url(url, retry=None) as client:
            return await client.ping()

    return asyncio.run(ask())


@pytest.mark.parametrize("client", [redis_client, redis_asyncio_client])
def test_redis(
    client: RedisClient, redis_server: ServerFactory[RedisServer], ground: Ground
) -> None:
    """It answers who presents a certificate, and no other."""
    server = redis_server(hosts=HOSTS, demand=Demand.DEMAND)
    assert client(KNOWN, server.port, ground) is True
    errors = pytest.importorskip("redis").exceptions
    with pytest.raises(errors.ConnectionError):
        client(NOBODY, server.port, ground)
