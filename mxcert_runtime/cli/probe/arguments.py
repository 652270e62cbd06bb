"""What ``mxcert probe`` can be told."""

from __future__ import annotations

import argparse
from typing import Any

from ..settings_file import add_config

_DESCRIPTION = """\
Connects to a server as an ordinary client of this machine does, with the settings that are in
force here, and tells each step: which certificate was decided and why, what the server asked for
and what it was presented, and how it took that. Verifies the server as always. For https it sends
a HEAD request for the URL, for mail, FTP, LDAP, Redis and AMQP a command that needs no login;
nothing else.

Exit status: 0 the server took the connection as decided, 1 it did not, 2 wrong use.
--json prints one object, whose "schema" is "mxcert-probe/2": "ok" (true is exit status 0),
"target", "decision", "steps", "server", "request", "presented", "answer", "alert", "warnings" and
"verdict", or "errors" of the settings. New members may come; none changes its meaning under the
same "schema"."""

#: A day: what a socket can wait ends somewhere, and not everywhere at the same.
_LONGEST_SECONDS = 86_400

_URL_HELP = """\
https, smtp, imap, pop3, ftp or ldap (with STARTTLS), these with an s (TLS at once), postgresql,
mysql, mariadb or nats (TLS as each begins it), rediss, amqps, mqtts, or tls://host:port; a bare
host or host:port is https"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "probe",
        help="connect to a server and tell how the handshake went",
        description=_DESCRIPTION,
    )
    parser.add_argument("url", metavar="URL", help=_URL_HELP)
    add_config(parser)
    parser.add_argument("--service", metavar="NAME", help="connect as a call of this service")
    parser.add_argument(
        "--starttls",
        choices=("smtp", "imap", "pop3", "ftp", "ldap", "postgres", "mysql", "nats"),
        help="begin TLS as this protocol does, whatever the scheme",
    )
    parser.add_argument("--proxy", metavar="URL", help="http://[user:password@]host:port")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="for each wait but that for a name's address (default: %(default)g)",
    )
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"must be more than 0 seconds, and {_LONGEST_SECONDS:,} at most"
        )
    return seconds
