"""What ``mxcert init`` can be told."""

from __future__ import annotations

import argparse
from typing import Any

_FORMATS = ("env", "env-file", "toml", "kubernetes", "systemd")

_DESCRIPTION = """\
Makes settings of a file with a client certificate and its key: PKCS12 (.pfx, .p12), or PEM with
--key. It opens the file, checks it as `mxcert check` does, and prints settings, or writes them to
--write PATH. At a terminal it asks for what no option says: the password, and the hosts."""

_EPILOG = """\
formats:
  env         export lines for a shell: eval "$(mxcert init billing.pfx --host api.example)"
  env-file    NAME=VALUE lines, for docker run --env-file
  toml        the settings file, which MXCERT_CONFIG names
  kubernetes  a ConfigMap, what a Deployment needs, and the Secret or the command that makes it
  systemd     a drop-in of a unit, with LoadCredential=
Without --format it is what PATH ends in; else env, or toml for PEM.

The password is named by its file and never printed, unless --include-secrets says so. A file that
--password-file names is read if it is there, and else written with the password that was asked for.

exit status: 0 fine, 1 the file cannot be used or nothing can be written, 2 wrong use"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "init",
        help="make settings of a file with a client certificate",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("file", metavar="FILE", help="the file with the certificate")
    parser.add_argument("--key", metavar="PATH", help="the file with the key, for PEM")
    parser.add_argument(
        "--host",
        action="append",
        metavar="HOST",
        help="a host that gets the certificate, as often as you like: host, host:port, *.domain;"
        " `--host ''` is every host that asks",
    )
    parser.add_argument("--password-file", metavar="PATH", help="the file with the password")
    parser.add_argument("--ca", action="append", default=[], metavar="PATH", help="a CA of servers")
    parser.add_argument("--name", metavar="NAME", help="what the identity is called")
    parser.add_argument("--format", choices=_FORMATS, metavar="FORMAT", help=", ".join(_FORMATS))
    parser.add_argument("--write", metavar="PATH", help="write the settings to this file")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    parser.add_argument(
        "--include-secrets",
        action="store_true",
        help="the password in clear in the settings, and key and password in the Secret",
    )
    return parser
