"""Clients of Postfix, Dovecot, vsftpd and slapd: whom the server takes them for."""

from __future__ import annotations

import asyncio
import contextlib
import ftplib
import imaplib
import poplib
import re
import smtplib
import ssl
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.dovecot import DovecotServer
from tests.support.factories import ServerFactory
from tests.support.listener import TIMEOUT
from tests.support.postfix import PostfixServer
from tests.support.server_tls import Demand
from tests.support.slapd import SlapdServer, subject_as_shown
from tests.support.vsftpd import VsftpdServer

from .conftest import HOSTS, KNOWN, NOBODY, Ground

pytestmark = pytest.mark.any_python

#: logs in as a user whom no certificate names
MailClient = Callable[[str, DovecotServer, Ground], Any]


def imap(host: str, server: DovecotServer, ground: Ground) -> Any:
    """``imaplib``."""
    with imaplib.IMAP4(host, server.imap, timeout=TIMEOUT) as client:
        client.starttls(ground.context())
        return client.login("somebody", "password")


def imapclient(host: str, server: DovecotServer, ground: Ground) -> Any:
    """``IMAPClient``."""
    library = pytest.importorskip("imapclient")
    with library.IMAPClient(host, server.imap, ssl=False, timeout=TIMEOUT) as client:
        client.starttls(ground.context())
        return client.login("somebody", "password")


def pop(host: str, server: DovecotServer, ground: Ground) -> Any:
    """``poplib``."""
    client = poplib.POP3(host, server.pop3, timeout=TIMEOUT)
    with contextlib.closing(client):
        client.stls(ground.context())
        client.user("somebody")
        return client.pass_("password")


@pytest.mark.parametrize("client", [imap, imapclient, pop])
def test_dovecot(
    client: MailClient, dovecot_server: ServerFactory[DovecotServer], ground: Ground
) -> None:
    """Whoever logs in is the common name of the certificate; without one nobody does."""
    server = dovecot_server(hosts=HOSTS, demand=Demand.DEMAND)
    with pytest.raises((imaplib.IMAP4.error, poplib.error_proto), match=r"(?i)certificate|auth"):
        client(NOBODY, server, ground)
    client(KNOWN, server, ground)
    assert "alpha" == server.user


def smtp(host: str, server: PostfixServer, ground: Ground) -> int:
    """``smtplib``; the status of a recipient elsewhere."""
    with smtplib.SMTP(host, server.port, timeout=TIMEOUT) as client:
        client.starttls(context=ground.context())
        client.ehlo()
        client.mail("sender@a.test")
        return client.rcpt("recipient@b.test")[0]


def aiosmtplib(host: str, server: PostfixServer, ground: Ground) -> int:
    """``aiosmtplib``."""
    library = pytest.importorskip("aiosmtplib")

    async def ask() -> int:
        context = ground.context()
        client = library.SMTP(hostname=host, port=server.port, tls_context=context, timeout=TIMEOUT)
        async with client:
            await client.mail("sender@a.test")
            try:
                return int((await client.rcpt("recipient@b.test")).code)
            except library.SMTPResponseException as error:
                return int(error.code)

    return asyncio.run(ask())


@pytest.mark.parametrize("client", [smtp, aiosmtplib])
def test_postfix(
    client: Callable[[str, PostfixServer, Ground], int],
    postfix_server: ServerFactory[PostfixServer],
    ground: Ground,
) -> None:
    """It relays for the certificate that it knows, and for nobody else."""
    server = postfix_server(hosts=HOSTS, relays_for=[ground.alpha.fingerprint])
    assert [250, 554] == [client(host, server, ground) for host in HOSTS]


def test_postfix_of_others(postfix_server: ServerFactory[PostfixServer], ground: Ground) -> None:
    """The twin: one that knows another certificate alone does not relay for this one."""
    server = postfix_server(hosts=HOSTS, relays_for=["00" * 32])
    assert 554 == smtp(KNOWN, server, ground)


def _listing(host: str, server: VsftpdServer, context: ssl.SSLContext) -> list[str]:
    with ftplib.FTP_TLS(timeout=TIMEOUT, context=context) as client:  # noqa: S321
        client.connect(host, server.port)
        client.login()
        client.prot_p()
        return client.nlst()


@pytest.mark.parametrize("is_for_port", [True, False])
def test_vsftpd(
    is_for_port: bool, vsftpd_server: ServerFactory[VsftpdServer], ground: Ground
) -> None:
    """It sees the certificate on both connections, also by a rule for the port of the first."""
    server = vsftpd_server(hosts=HOSTS, demand=Demand.DEMAND)
    ground.activate(f"{KNOWN}:{server.port}" if is_for_port else KNOWN)
    assert ["greeting"] == _listing(KNOWN, server, ground.context())
    with pytest.raises((OSError, EOFError, ftplib.Error)):
        _listing(NOBODY, server, ground.context())
    assert [ground.alpha.fingerprint] * 2 == server.fingerprints


def _who_am_i(host: str, server: SlapdServer, ground: Ground, *, is_ldaps: bool) -> Any:
    ldap3 = pytest.importorskip("ldap3")
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ground.ca_file)
    directory = ldap3.Server(
        host,
        server.port if is_ldaps else server.plain_port,
        use_ssl=is_ldaps,
        tls=tls,
        get_info=ldap3.NONE,
    )
    how: dict[str, Any] = {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.EXTERNAL}
    connection = ldap3.Connection(directory, sasl_credentials="", **how)
    with warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")  # of the library about itself and others
        stack.callback(connection.unbind)
        assert is_ldaps or connection.start_tls()
        return connection.extend.standard.who_am_i() if connection.bind() else None


@pytest.mark.parametrize("is_ldaps", [True, False])
def test_slapd(is_ldaps: bool, slapd_server: ServerFactory[SlapdServer], ground: Ground) -> None:
    """Bound by its certificate, a client is its subject; without one it cannot be bound so."""
    server = slapd_server(hosts=HOSTS)
    told = _who_am_i(KNOWN, server, ground, is_ldaps=is_ldaps)
    assert _spaceless(subject_as_shown(ground.alpha.subject)) == _spaceless(told)
    assert _who_am_i(NOBODY, server, ground, is_ldaps=is_ldaps) is None


def _spaceless(name: str) -> str:
    return re.sub(r",\s+", ",", name)
