"""Mail, files and directories: clients of the standard library and others."""

from __future__ import annotations

from ..values import LATE_NAME, Column, Row, Server

ROWS = (
    Row(
        "smtplib",
        """
        import smtplib, ssl
        def call(host, port):
            with smtplib.SMTP(host, port, timeout=20) as client:
                client.starttls(context=ssl.create_default_context())
                client.ehlo()
        """,
        Server.SMTP,
        imports="import smtplib",
        keeps=False,
        environment="core",
    ),
    Row(
        "aiosmtplib",
        """
        import aiosmtplib
        async def call(host, port):
            client = aiosmtplib.SMTP(hostname=host, port=port, start_tls=True, timeout=20)
            async with client:
                await client.noop()
        """,
        Server.SMTP,
        distribution="aiosmtplib",
        imports="import aiosmtplib",
        keeps=False,
    ),
    Row(
        "imaplib",
        """
        import imaplib, ssl
        def call(host, port):
            client = imaplib.IMAP4(host, port, timeout=20)
            client.starttls(ssl.create_default_context())
            client.logout()
        """,
        Server.IMAP,
        imports="import imaplib",
        keeps=False,
    ),
    Row(
        "IMAPClient",
        """
        import imapclient
        def call(host, port):
            client = imapclient.IMAPClient(host, port, ssl=False, timeout=20)
            client.starttls()
            client.logout()
        """,
        Server.IMAP,
        distribution="IMAPClient",
        imports="import imapclient",
        keeps=False,
    ),
    Row(
        "poplib",
        """
        import poplib, ssl
        def call(host, port):
            client = poplib.POP3(host, port, timeout=20)
            client.stls(ssl.create_default_context())
            client.noop()
        """,
        Server.POP3,
        imports="import poplib",
        keeps=False,
    ),
    Row(
        "ftplib",
        """
        import ftplib, ssl
        def call(host, port):
            client = ftplib.FTP_TLS(timeout=20, context=ssl.create_default_context())
            client.connect(host, port)
            client.login("name", "password")
            client.prot_p()
            client.nlst()
        """,
        Server.FTP,
        imports="import ftplib",
        keeps=False,
    ),
    Row(
        "ldap3",
        """
        import ldap3, ssl
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED)
        def call(host, port):
            server = ldap3.Server(host, port, use_ssl=True, tls=tls, connect_timeout=10)
            ldap3.Connection(server, receive_timeout=10).open()
        """,
        Server.TLS,
        distribution="ldap3",
        imports="import ldap3",
        known={Column.WRONG_NAME: LATE_NAME},
        keeps=False,
    ),
    Row(
        "ldap3 (StartTLS)",
        """
        import ldap3, ssl
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED)
        def call(host, port):
            server = ldap3.Server(
                host, port, tls=tls, connect_timeout=10, get_info=ldap3.NONE,
            )
            first = ldap3.AUTO_BIND_TLS_BEFORE_BIND
            ldap3.Connection(server, auto_bind=first, receive_timeout=10)
        """,
        Server.LDAP,
        distribution="ldap3",
        imports="import ldap3",
        known={Column.WRONG_NAME: LATE_NAME},
        keeps=False,
    ),
)
