"""Libraries whose TLS no hook reaches, as they have one of their own: said at import, once each.

Whoever imports one while settings are in force is told; nothing is imported for that. ``mxcert
check`` tells what of them is installed.
"""

from __future__ import annotations

import functools
import importlib.util
import sys

from ..base import dataclass, logger as _logger
from .patching import Library


@dataclass(frozen=True)
class Unreached:
    """A library by the name that programs import; its own TLS, and what to do."""

    module: str
    engine: str
    remedy: str

    @property
    def problem(self) -> str:
        """What it means."""
        return f"`{self.module}` has TLS of its own ({self.engine}), which presents no identity"

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}."


_HTTP_REMEDY = "For hosts with a rule use a client that is reached, such as httpx or requests"
#: what takes a certificate and a key that somebody has
_HAND_OVER = "Hand it the identity of the host by `mxcert_runtime.material`"
_LIBPQ_REMEDY = f"{_HAND_OVER}: `sslcert` and `sslkey`, or use asyncpg or pg8000"

UNREACHED = (
    Unreached("primp", "rustls or BoringSSL", _HTTP_REMEDY),
    Unreached("curl_cffi", "BoringSSL in curl", f"{_HAND_OVER}: `cert=`, or use httpx or requests"),
    Unreached("tls_client", "Go's", _HTTP_REMEDY),
    Unreached("aioquic", "its own TLS 1.3", f"{_HAND_OVER}: `QuicConfiguration.load_cert_chain`"),
    *(Unreached(each, "OpenSSL in libpq", _LIBPQ_REMEDY) for each in ("psycopg", "psycopg2")),
    Unreached("MySQLdb", "libmysqlclient's", f"{_HAND_OVER}: `ssl=`, or use PyMySQL"),
    Unreached(
        "mariadb",
        "MariaDB Connector/C's",
        f"{_HAND_OVER}: `ssl_cert`, or use PyMySQL",
    ),
    Unreached(
        "pyodbc",
        "that of the ODBC driver",
        f"{_HAND_OVER}, if its driver takes files",
    ),
    Unreached("pymssql", "OpenSSL in FreeTDS", "Let freetds.conf say it"),
    Unreached(
        "confluent_kafka",
        "OpenSSL in librdkafka",
        f"{_HAND_OVER}: `ssl.certificate.pem` and `ssl.key.pem`, or use kafka-python or aiokafka",
    ),
    Unreached(
        "ldap", "OpenSSL or GnuTLS in libldap", f"{_HAND_OVER}: OPT_X_TLS_CERTFILE, or use ldap3"
    ),
)

#: the modules that were told of
_told: set[str] = set()


def unreached_client(name: str) -> Unreached | None:
    """What is known of a library that is not reached, by the name that programs import."""
    return next((each for each in UNREACHED if each.module == name), None)


def installed() -> tuple[Unreached, ...]:
    """Those that this environment has; none is imported."""
    return tuple(each for each in UNREACHED if _is_installed(each.module))


def _is_installed(module: str) -> bool:
    if module in sys.modules:
        return sys.modules[module] is not None
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _tell(client: Unreached) -> None:
    if client.module not in _told:
        _told.add(client.module)
        _logger.warning("%s", client)


LIBRARIES = tuple(
    Library(each.module, tuple, prepare=functools.partial(_tell, each), is_reached=False)
    for each in UNREACHED
)
