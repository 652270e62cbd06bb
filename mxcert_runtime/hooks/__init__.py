"""One module per library: nothing but its patches. Each can be imported without its library."""

from . import (
    aiohttp_connector,
    greenlets,
    grpc_channels,
    grpclib_channels,
    httpcore_pools,
    httpx_transports,
    named_clients,
    requests_adapters,
    suds_methods,
    twisted_agents,
    unreached,
    urllib3_future,
    urllib3_pools,
    urllib3_retries,
    zeep_operations,
)
from .pyopenssl.connections import LIBRARY as PYOPENSSL
from .stdlib import (
    asyncio_failures,
    asyncio_loops,
    dialling_sockets,
    ftp_transfers,
    http_client,
)
from .stdlib.library import LIBRARY as STDLIB

#: Every library that is patched, in the order in which it is done
LIBRARIES = (
    STDLIB,
    *dialling_sockets.LIBRARIES,
    http_client.LIBRARY,
    ftp_transfers.LIBRARY,
    urllib3_pools.CONNECTION_LIBRARY,
    urllib3_pools.POOL_LIBRARY,
    *urllib3_future.LIBRARIES,
    urllib3_retries.LIBRARY,
    PYOPENSSL,
    asyncio_loops.LIBRARY,
    asyncio_failures.LIBRARY,
    *httpcore_pools.LIBRARIES,
    httpx_transports.LIBRARY,
    aiohttp_connector.LIBRARY,
    requests_adapters.LIBRARY,
    zeep_operations.LIBRARY,
    suds_methods.LIBRARY,
    *named_clients.LIBRARIES,
    *greenlets.LIBRARIES,
    *twisted_agents.LIBRARIES,
    grpclib_channels.LIBRARY,
    *grpc_channels.LIBRARIES,
    *unreached.LIBRARIES,
)
