"""One module per library: nothing but its patches. Each can be imported without its library."""

from .library import HookedLibrary, late
from .stdlib import dialling_sockets
from .stdlib.library import LIBRARY as STDLIB

#: Every library that is patched, in the order in which it is done. What a program that has `ssl`
#: need not have comes by name: its hooks are imported when it is.
LIBRARIES: tuple[HookedLibrary, ...] = (
    STDLIB,
    dialling_sockets.LIBRARY,
    *late("gevent_sockets", "gevent.socket", "gevent.ssl"),
    *late("stdlib.http_client", "http.client"),
    *late("stdlib.ftp_transfers", "ftplib"),
    *late("urllib3_pools", "urllib3.connection", "urllib3.connectionpool"),
    *late(
        "urllib3_future",
        *("urllib3.poolmanager", "urllib3._async.connection", "urllib3._async.connectionpool"),
        *("urllib3._async.poolmanager", "urllib3_future.connection"),
        *("urllib3_future.connectionpool", "urllib3_future.poolmanager"),
        *("urllib3_future._async.connection", "urllib3_future._async.connectionpool"),
        "urllib3_future._async.poolmanager",
    ),
    *late("urllib3_retries", "urllib3.util.retry"),
    *late("pyopenssl.connections", "OpenSSL.SSL"),
    *late("stdlib.asyncio_loops", "asyncio.base_events"),
    *late("stdlib.asyncio_failures", "asyncio.sslproto"),
    *late(
        "httpcore_pools", "httpcore", "httpcore._sync.socks_proxy", "httpcore._async.socks_proxy"
    ),
    *late("httpx_transports", "httpx._transports.default"),
    *late("aiohttp_connector", "aiohttp.connector"),
    *late("requests_adapters", "requests.adapters"),
    *late("zeep_operations", "zeep.proxy"),
    *late("suds_methods", "suds.client"),
    *late(
        "named_clients",
        *("amqp.transport", "ldap3.core.tls", "cassandra.connection", "oracledb.connection"),
        *("pytds.tls", "mysql.connector.network"),
    ),
    *late("greenlets", "gevent", "gevent.pool", "eventlet.greenthread"),
    *late(
        "twisted_agents",
        *("twisted.internet._sslverify", "twisted.protocols.tls", "twisted.web.client"),
    ),
    *late("grpclib_channels", "grpclib.client"),
    *late("grpc_channels", "grpc._channel", "grpc.aio._channel"),
    *late("curl.library", "pycurl"),
    *late("curl.tornado_client", "tornado.curl_httpclient"),
    *late(
        "unreached",
        *("primp", "curl_cffi", "tls_client", "aioquic", "psycopg", "psycopg2", "MySQLdb"),
        *("mariadb", "pyodbc", "pymssql", "confluent_kafka", "ldap"),
    ),
)
