"""Clients with TLS of their own: the snippet of the page that each has, and what servers see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.documents.pages import DOCS, snippets
from tests.support.listener import TIMEOUT
from tests.support.mariadb import MariadbServer
from tests.support.pki import Leaf
from tests.support.postgresql import (
    DEMANDING,
    QUESTION,
    PostgresqlServer,
    subject_as_shown as subject_in_database,
)
from tests.support.slapd import SlapdServer, subject_as_shown as subject_in_directory
from tests.support.tls_server import TlsServer

#: seconds that the client looks for events before it is asked again
_TURN = 0.1
PAGE = DOCS / "own-tls.md"


@dataclass(frozen=True)
class Client:
    """A client by the name that programs import.

    ``connects`` whether this leaf gets in: it calls the function of the page, and asks the server
    what it has seen. ``refusal`` is what the client says of a server that it does not verify;
    ``verifies_late``, that such a server has seen the certificate by then, and no request.
    """

    module: str
    server: str
    function: str
    connects: Callable[[Callable[..., Any], Any, str, Leaf], bool]
    refusal: str
    verifies_late: bool = False

    def __str__(self) -> str:
        return self.module

    def load(self) -> Callable[..., Any]:
        """The function of the page; skips the test where the client is not installed."""
        pytest.importorskip(self.module, exc_type=ImportError)
        (text,) = (
            each.text
            for each in snippets(PAGE, "python")
            if f"import {self.module}\n" in each.text or f"from {self.module}" in each.text
        )
        names: dict[str, Any] = {}
        exec(compile(text, str(PAGE), "exec"), names)  # noqa: S102 - a page of ours
        function: Callable[..., Any] = names[self.function]
        return function


def _postgresql(connect: Callable[..., Any], server: Any, host: str, leaf: Leaf) -> bool:
    assert isinstance(server, PostgresqlServer)
    connection = connect(host, server.port, DEMANDING)
    try:
        cursor = connection.cursor()
        cursor.execute(QUESTION)
        subject, serial = cursor.fetchone()
    finally:
        connection.close()
    expected = subject_in_database(leaf.subject), leaf.certificate.serial_number
    return expected == (subject, int(serial))


def _mariadb(connect: Callable[..., Any], server: Any, host: str, leaf: Leaf) -> bool:
    assert isinstance(server, MariadbServer)
    account = server.account_for(leaf)
    connection = connect(host, server.port, account)
    try:
        cursor = connection.cursor()
        cursor.execute("select current_user()")
        (user,) = cursor.fetchone()
    finally:
        connection.close()
    return user == f"{account}@%"


def _directory(connect: Callable[..., Any], server: Any, host: str, leaf: Leaf) -> bool:
    assert isinstance(server, SlapdServer)
    connection = connect(host, server.port)
    try:
        said = connection.whoami_s()
    finally:
        connection.unbind_s()
    return bool(subject_in_directory(leaf.subject) == said)


def _web(get: Callable[..., Any], server: Any, host: str, leaf: Leaf) -> bool:
    assert isinstance(server, TlsServer)
    get(host, server.port)
    return {leaf.fingerprint} == {each.fingerprint for each in server.seen.wait_for(1)}


def _broker(connect: Callable[..., Any], server: Any, host: str, leaf: Leaf) -> bool:
    """No broker, which a handshake does not need."""
    assert isinstance(server, TlsServer)
    client = connect(host, server.port)
    for _ in range(int(TIMEOUT / _TURN)):
        client.poll(_TURN)
        if server.seen or server.failures:
            break
    if server.failures:
        raise ConnectionError(str(server.failures[0]))
    return leaf.fingerprint == server.seen[0].fingerprint


_LIBPQ = "certificate verify failed|does not match host name"
_MARIADB = "unable to get local issuer|Validation of SSL server certificate failed"
_KAFKA = "ALERT_UNKNOWN_CA|ALERT_BAD_CERTIFICATE"
_CURL = "unable to get local issuer|no alternative certificate subject name"
CLIENTS = [
    Client("psycopg", "postgresql_server", "connect", _postgresql, _LIBPQ),
    Client("psycopg2", "postgresql_server", "connect", _postgresql, _LIBPQ),
    Client("MySQLdb", "mariadb_server", "connect", _mariadb, _MARIADB),
    Client("mariadb", "mariadb_server", "connect", _mariadb, _MARIADB),
    Client("ldap", "slapd_server", "connect", _directory, "Can't contact LDAP server"),
    Client("confluent_kafka", "tls_server", "connect", _broker, _KAFKA),
    Client("curl_cffi", "tls_server", "get", _web, _CURL, verifies_late=True),
    Client("pycurl", "tls_server", "get", _web, _CURL, verifies_late=True),
]
