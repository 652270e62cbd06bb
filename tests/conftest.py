"""Fixtures that every test may use; the machinery behind them is in ``tests.support``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import default_trust
from tests.support.client_files import ClientFiles
from tests.support.default_trust import trust_one_root
from tests.support.environment import steers
from tests.support.factories import factory_of
from tests.support.hanging import (
    keep_standard_error,
    pytest_runtest_protocol as pytest_runtest_protocol,
)
from tests.support.installation import Installations, make_once
from tests.support.mail_server import FtpDialogue, ImapDialogue, SmtpDialogue, StartTlsServer
from tests.support.mariadb import MariadbServer
from tests.support.names import LoopbackNames
from tests.support.nginx import NginxServer
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, Leaf
from tests.support.postgresql import PostgresqlServer
from tests.support.proxy import ConnectProxy
from tests.support.server_tls import ServerTls, TlsVersion
from tests.support.slapd import SlapdServer
from tests.support.tls_server import TlsServer
from tests.support.version_turns import (
    pytest_collection_modifyitems as pytest_collection_modifyitems,
    pytest_configure as pytest_configure,
)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before tests are collected."""
    keep_standard_error(session.config)
    trust_one_root(session.config)
    # asyncio complains of a transport whose loop has ended before the peer answered its end, as
    # clients leave them, whenever it is collected: in a test that has nothing to do with it.
    line = (
        r"ignore:unclosed transport <(asyncio\.sslproto|_SelectorSocketTransport):ResourceWarning"
    )
    session.config.addinivalue_line("filterwarnings", line)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting, proxy or CA bundle from outside reaches a test."""
    for variable in list(os.environ):
        if steers(variable):
            monkeypatch.delenv(variable)
    for variable, value in default_trust.VARIABLES.items():
        monkeypatch.setenv(variable, value)


@pytest.fixture(autouse=True)
def deactivated() -> Iterator[None]:
    """What a test activated is deactivated at its end."""
    yield
    activation: Any = sys.modules.get("mxcert_runtime.start.activation")
    if activation is not None:
        activation.deactivate()


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The root that all servers have their certificates from."""
    return Authority("Server root")


@pytest.fixture(scope="session")
def client_authority() -> Authority:
    """The root that the servers trust for clients."""
    return Authority("Client root")


@pytest.fixture(scope="session")
def alpha(client_authority: Authority) -> Leaf:
    """A client's certificate that the servers trust."""
    return client_authority.issue("alpha", server=False)


@pytest.fixture(scope="session")
def beta(client_authority: Authority) -> Leaf:
    """Another client's certificate that the servers trust."""
    return client_authority.issue("beta", server=False)


@pytest.fixture(scope="session")
def gamma(client_authority: Authority) -> Leaf:
    """A client's certificate that has an intermediate above it."""
    return client_authority.intermediate("Client intermediate").issue("gamma", server=False)


@pytest.fixture(params=[TlsVersion.TLS12, TlsVersion.TLS13], ids=lambda version: version.value)
def tls_version(request: pytest.FixtureRequest) -> TlsVersion:
    """The test runs once for each protocol version."""
    version = request.param
    assert isinstance(version, TlsVersion)
    return version


@pytest.fixture
def client_files(tmp_path: Path) -> ClientFiles:
    """Writes leaves as PKCS12 files, and the settings that name them."""
    return ClientFiles(tmp_path)


@pytest.fixture(scope="session")
def installations(tmp_path_factory: pytest.TempPathFactory) -> Installations:
    """Environments with the package installed, and one without; all processes share them."""
    if os.name == "nt":
        pytest.skip("looks for commands where POSIX has them")
    folder = tmp_path_factory.getbasetemp()
    return make_once(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture
def loopback_names() -> Iterator[LoopbackNames]:
    """``*.test`` and ``*.example`` lead to loopback in this process."""
    with LoopbackNames() as names:
        yield names


@pytest.fixture
def server_stack() -> Iterator[ExitStack]:
    """Stops at the end of the test whatever was started on it."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def plain_proxy(server_stack: ExitStack) -> ConnectProxy:
    """A CONNECT proxy that clients speak plain text to."""
    return server_stack.enter_context(ConnectProxy())


def _smtp(tls: ServerTls) -> StartTlsServer:
    return StartTlsServer(tls, SmtpDialogue)


def _imap(tls: ServerTls) -> StartTlsServer:
    return StartTlsServer(tls, ImapDialogue)


def _ftp(tls: ServerTls) -> StartTlsServer:
    return StartTlsServer(tls, FtpDialogue)


#: starts HTTPS servers that answer with what they see
tls_server = factory_of(TlsServer)
#: starts ``openssl s_server`` processes; skipped where there is no openssl
openssl_server = factory_of(OpensslServer)
#: starts nginx processes; skipped where there is no nginx
nginx_server = factory_of(NginxServer)
#: starts CONNECT proxies that clients speak TLS to
tls_proxy = factory_of(ConnectProxy)
#: starts SMTP servers with STARTTLS
smtp_server = factory_of(_smtp)
#: starts IMAP servers with STARTTLS
imap_server = factory_of(_imap)
#: starts FTP servers with AUTH TLS, control connection only
ftp_server = factory_of(_ftp)
#: starts PostgreSQL servers; skipped where there is none
postgresql_server = factory_of(PostgresqlServer)
#: starts MariaDB servers; skipped where there is none
mariadb_server = factory_of(MariadbServer)
#: starts OpenLDAP servers; skipped where there is none
slapd_server = factory_of(SlapdServer)
