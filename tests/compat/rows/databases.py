"""Databases and caches."""

from __future__ import annotations

from ..values import LATE_NAME, THREADS, Column, Row, Server

#: of a client that dials what its cluster tells, and names that to TLS
_NODES = "it dials its nodes by address and names that to TLS: give the addresses of nodes rules"

ROWS = (
    Row(
        "redis",
        """
        import redis
        def call(host, port):
            url = f"rediss://{host}:{port}"
            redis.Redis.from_url(url, socket_timeout=10, retry=None).ping()
        """,
        Server.TLS,
        distribution="redis",
        imports="import redis",
        keeps=False,
        environment="core",
    ),
    Row(
        "redis (asyncio)",
        """
        import redis.asyncio
        async def call(host, port):
            url = f"rediss://{host}:{port}"
            await redis.asyncio.Redis.from_url(url, socket_timeout=10, retry=None).ping()
        """,
        Server.TLS,
        distribution="redis",
        imports="import redis.asyncio",
        keeps=False,
    ),
    Row(
        "valkey",
        """
        import valkey
        def call(host, port):
            valkey.Valkey.from_url(f"valkeys://{host}:{port}", socket_timeout=10).ping()
        """,
        Server.TLS,
        distribution="valkey",
        imports="import valkey",
        known={
            Column.WRONG_NAME: "it does not compare names unless told: `ssl_check_hostname=True`"
        },
        keeps=False,
    ),
    Row(
        "pymongo",
        """
        import pymongo, time
        def call(host, port):
            client = pymongo.MongoClient(host, port, tls=True, serverSelectionTimeoutMS=1500)
            try:
                client.admin.command("ping")
            finally:
                client.close()
                time.sleep(1)  # its monitors end a moment later
        """,
        Server.TLS,
        distribution="pymongo",
        imports="import pymongo",
        keeps=False,
        known={Column.SERVICE: THREADS, Column.WRONG_NAME: LATE_NAME},
    ),
    Row(
        "asyncpg",
        """
        import asyncpg, ssl
        async def call(host, port):
            await asyncpg.connect(
                host=host, port=port, user="u", database="d", timeout=10,
                ssl=ssl.create_default_context(),
            )
        """,
        Server.POSTGRES,
        distribution="asyncpg",
        imports="import asyncpg",
        keeps=False,
    ),
    Row(
        "asyncpg (sslmode)",
        """
        import asyncpg, os
        async def call(host, port):
            options = f"sslmode=verify-full&sslrootcert={os.environ['SSL_CERT_FILE']}"
            await asyncpg.connect(f"postgresql://u:p@{host}:{port}/d?{options}", timeout=10)
        """,
        Server.POSTGRES,
        distribution="asyncpg",
        imports="import asyncpg",
        keeps=False,
    ),
    Row(
        "pg8000",
        """
        import pg8000.native, ssl
        def call(host, port):
            context = ssl.create_default_context()
            pg8000.native.Connection("u", host=host, port=port, timeout=10, ssl_context=context)
        """,
        Server.POSTGRES,
        distribution="pg8000",
        imports="import pg8000.native",
        keeps=False,
    ),
    Row(
        "SQLAlchemy (pg8000)",
        """
        import sqlalchemy, ssl
        context = ssl.create_default_context()
        def call(host, port):
            engine = sqlalchemy.create_engine(
                f"postgresql+pg8000://u:p@{host}:{port}/d", connect_args={"ssl_context": context}
            )
            engine.connect()
        """,
        Server.POSTGRES,
        distribution="SQLAlchemy",
        imports="import sqlalchemy",
        keeps=False,
    ),
    Row(
        "PyMySQL",
        """
        import pymysql, ssl
        context = ssl.create_default_context()
        def call(host, port):
            pymysql.connect(host=host, port=port, user="u", connect_timeout=10, ssl=context)
        """,
        Server.MYSQL,
        distribution="PyMySQL",
        imports="import pymysql",
        keeps=False,
    ),
    Row(
        "aiomysql",
        """
        import aiomysql, ssl
        context = ssl.create_default_context()
        async def call(host, port):
            await aiomysql.connect(host=host, port=port, user="u", connect_timeout=10, ssl=context)
        """,
        Server.MYSQL,
        distribution="aiomysql",
        imports="import aiomysql",
        keeps=False,
    ),
    Row(
        "mysql-connector (pure)",
        """
        import mysql.connector, os
        def call(host, port):
            mysql.connector.connect(
                host=host, port=port, user="u", use_pure=True, connection_timeout=10,
                ssl_ca=os.environ["SSL_CERT_FILE"], ssl_verify_cert=True, ssl_verify_identity=True,
            )
        """,
        Server.MYSQL,
        distribution="mysql-connector-python",
        imports="import mysql.connector",
        keeps=False,
    ),
    Row(
        "neo4j",
        """
        import neo4j
        def call(host, port):
            driver = neo4j.GraphDatabase.driver(f"bolt+s://{host}:{port}", connection_timeout=10)
            try:
                driver.verify_connectivity()
            finally:
                driver.close()
        """,
        Server.TLS,
        distribution="neo4j",
        imports="import neo4j",
        keeps=False,
    ),
    Row(
        "pymemcache",
        """
        import pymemcache, ssl
        context = ssl.create_default_context()
        def call(host, port):
            client = pymemcache.Client((host, port), tls_context=context, timeout=10)
            client.version()
        """,
        Server.TLS,
        distribution="pymemcache",
        imports="import pymemcache",
        keeps=False,
    ),
    Row(
        "pytds",
        """
        import os, pytds
        def call(host, port):
            pytds.connect(
                host, "d", "u", "p", port=port, cafile=os.environ["SSL_CERT_FILE"],
                validate_host=True, login_timeout=10,
            )
        """,
        Server.TDS,
        distribution="python-tds",
        known={Column.WRONG_NAME: LATE_NAME},
        imports="import pytds",
        keeps=False,
    ),
    Row(
        "oracledb (thin)",
        """
        import oracledb, ssl
        context = ssl.create_default_context()
        def call(host, port):
            dsn = f"tcps://{host}:{port}/s?retry_count=0"
            oracledb.connect(dsn, user="u", password="p", ssl_context=context)
        """,
        Server.TLS,
        distribution="oracledb",
        known={Column.WRONG_NAME: LATE_NAME},
        imports="import oracledb",
        keeps=False,
    ),
    Row(
        "cassandra-driver",
        """
        import ssl
        from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
        from cassandra.policies import RoundRobinPolicy
        context = ssl.create_default_context()
        profiles = {EXEC_PROFILE_DEFAULT: ExecutionProfile(RoundRobinPolicy())}
        def call(host, port):
            with Cluster(
                [host], port, ssl_context=context, connect_timeout=10, execution_profiles=profiles,
                protocol_version=4,
            ) as cluster:
                cluster.connect()
        """,
        Server.TLS,
        distribution="cassandra-driver",
        known=dict.fromkeys((Column.OTHER, Column.NONE, Column.PORT, Column.BAD_SERVER), _NODES),
        imports="import cassandra.cluster",
        keeps=False,
    ),
    Row(
        "hazelcast",
        """
        import hazelcast, os
        def call(host, port):
            hazelcast.HazelcastClient(
                cluster_members=[f"{host}:{port}"], ssl_enabled=True, ssl_check_hostname=True,
                ssl_cafile=os.environ["SSL_CERT_FILE"], cluster_connect_timeout=1,
            )
        """,
        Server.TLS,
        distribution="hazelcast-python-client",
        imports="import hazelcast",
        keeps=False,
    ),
    Row(
        "clickhouse-driver",
        """
        import clickhouse_driver, os
        def call(host, port):
            clickhouse_driver.Client(
                host, port, secure=True, ca_certs=os.environ["SSL_CERT_FILE"], connect_timeout=10,
            ).execute("SELECT 1")
        """,
        Server.TLS,
        distribution="clickhouse-driver",
        imports="import clickhouse_driver",
        keeps=False,
    ),
)
