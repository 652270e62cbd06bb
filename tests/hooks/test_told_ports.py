"""Connections whose port no socket tells: data connections of FTP, and TLS inside of TDS."""

from __future__ import annotations

import contextlib
import ftplib
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import mxcert_runtime
from tests.support import tds
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.ftp_server import FtpServer
from tests.support.listener import TIMEOUT, bind_loopback
from tests.support.names import LoopbackNames
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import ServerConnection
from tests.support.tls_listener import TlsListener

HOST, SERVICE = "alpha.test", "Files.Transfer"


class _TdsServer(TlsListener):
    """Shakes hands inside of TDS, and closes."""

    def _serve(self, plain: socket.socket, number: int) -> None:
        with tds.begun(plain) as inner:
            super()._serve(inner, number)

    def _converse(self, connection: ServerConnection, number: int) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def names(loopback_names: LoopbackNames) -> LoopbackNames:
    """``*.test`` leads to the servers."""
    return loopback_names


@pytest.fixture
def ftp(server_stack: ExitStack, authority: Authority, client_authority: Authority) -> FtpServer:
    """It takes a certificate and needs none."""
    return ServerFactory(FtpServer, server_stack, authority, client_authority)(hosts=[HOST])


@pytest.fixture
def context(client_files: ClientFiles, authority: Authority) -> ssl.SSLContext:
    """A context that trusts the servers."""
    return ssl.create_default_context(cafile=str(client_files.authority(authority)))


def _unused_port() -> int:
    (listening,) = bind_loopback()
    with listening:
        port: int = listening.getsockname()[1]
        return port


def _activate(files: ClientFiles, host: str, alpha: Leaf, beta: Leaf | None = None) -> None:
    identities = [files.identity("alpha", alpha, hosts=[host])]
    if beta is not None:
        identities.append(files.identity("beta", beta, hosts=[], services=[SERVICE]))
    mxcert_runtime.activate(settings={"unlisted_hosts": "none", "identity": identities})


@contextlib.contextmanager
def _logged_in(server: FtpServer, context: ssl.SSLContext) -> Iterator[ftplib.FTP_TLS]:
    with ftplib.FTP_TLS(timeout=TIMEOUT, context=context) as client:  # noqa: S321
        client.connect(HOST, server.port)
        client.login("name", "password")
        client.prot_p()
        yield client


def _shown(server: FtpServer) -> tuple[str | None, str | None]:
    """By the control connection, and by the data connection."""
    return server.seen[0].fingerprint, server.transfers.wait_for(1)[0].fingerprint


class TestFtp:
    def test_by_port(
        self, ftp: FtpServer, context: ssl.SSLContext, client_files: ClientFiles, alpha: Leaf
    ) -> None:
        """A rule for the port of the control connection is for the data connection too."""
        _activate(client_files, f"{HOST}:{ftp.port}", alpha)
        with _logged_in(ftp, context) as client:
            assert ["file"] == client.nlst()
        assert (alpha.fingerprint, alpha.fingerprint) == _shown(ftp)

    def test_by_another_port(
        self, ftp: FtpServer, context: ssl.SSLContext, client_files: ClientFiles, alpha: Leaf
    ) -> None:
        """A rule for another port is for neither."""
        _activate(client_files, f"{HOST}:{_unused_port()}", alpha)
        with _logged_in(ftp, context) as client:
            assert ["file"] == client.nlst()
        assert (None, None) == _shown(ftp)

    def test_in_a_service(
        self,
        ftp: FtpServer,
        context: ssl.SSLContext,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
    ) -> None:
        """A service that is named only when a transfer begins is not the connection's."""
        _activate(client_files, HOST, alpha, beta)
        with _logged_in(ftp, context) as client, mxcert_runtime.service(SERVICE):
            assert ["file"] == client.nlst()
        assert (alpha.fingerprint, alpha.fingerprint) == _shown(ftp)

    def test_out_of_a_service(
        self,
        ftp: FtpServer,
        context: ssl.SSLContext,
        client_files: ClientFiles,
        alpha: Leaf,
        beta: Leaf,
    ) -> None:
        """The service of the control connection is the transfer's, wherever that begins."""
        _activate(client_files, HOST, alpha, beta)
        with ExitStack() as stack:
            with mxcert_runtime.service(SERVICE):
                client = stack.enter_context(_logged_in(ftp, context))
            assert ["file"] == client.nlst()
        assert (beta.fingerprint, beta.fingerprint) == _shown(ftp)

    def test_undo(self) -> None:
        """The method is what it was."""
        before = ftplib.FTP_TLS.ntransfercmd
        mxcert_runtime.activate(settings={"no_certificate": {"hosts": ["a.test"]}})
        assert before is not ftplib.FTP_TLS.ntransfercmd
        mxcert_runtime.deactivate()
        assert before is ftplib.FTP_TLS.ntransfercmd


def _connect_tds(port: int, ca_file: str) -> None:
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")  # of the library about itself and others
        pytds: Any = pytest.importorskip("pytds")
        # It could not validate the host: pyOpenSSL has no more what it does so by.
        pytds.connect(
            HOST,
            "d",
            "u",
            "p",
            port=port,
            cafile=ca_file,
            validate_host=False,
            login_timeout=TIMEOUT,
        )


@pytest.mark.parametrize("is_for_port", [True, False])
def test_tds(
    is_for_port: bool,
    server_stack: ExitStack,
    authority: Authority,
    client_authority: Authority,
    client_files: ClientFiles,
    alpha: Leaf,
) -> None:
    """pytds: a rule for the port of the database counts, one for another port does not."""
    pytest.importorskip("pytds")
    server = ServerFactory(_TdsServer, server_stack, authority, client_authority)(hosts=[HOST])
    port = server.port if is_for_port else _unused_port()
    _activate(client_files, f"{HOST}:{port}", alpha)
    _connect_tds(server.port, str(client_files.authority(authority)))
    expected = alpha.fingerprint if is_for_port else None
    assert expected == server.seen.wait_for(1)[0].fingerprint
