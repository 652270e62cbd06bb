"""One module per library: nothing but its patches. Each can be imported without its library."""

from . import (
    aiohttp_connector,
    asyncio_failures,
    asyncio_loops,
    dialling_sockets,
    http_client,
    httpcore_pools,
    named_clients,
    pyopenssl,
    requests_adapters,
    stdlib_ssl,
    suds_methods,
    urllib3_pools,
    urllib3_retries,
    zeep_operations,
)

#: Every library that is patched, in the order in which it is done
LIBRARIES = (
    stdlib_ssl.LIBRARY,
    *dialling_sockets.LIBRARIES,
    http_client.LIBRARY,
    urllib3_pools.CONNECTION_LIBRARY,
    urllib3_pools.POOL_LIBRARY,
    urllib3_retries.LIBRARY,
    pyopenssl.LIBRARY,
    asyncio_loops.LIBRARY,
    asyncio_failures.LIBRARY,
    *httpcore_pools.LIBRARIES,
    aiohttp_connector.LIBRARY,
    requests_adapters.LIBRARY,
    zeep_operations.LIBRARY,
    suds_methods.LIBRARY,
    *named_clients.LIBRARIES,
)
