"""What ``mxcert import`` can be told."""

from __future__ import annotations

import argparse
from typing import Any

from .paths import folder_map

#: the file that stands for standard input
STDIN = "-"

_DESCRIPTION = r"""
Reads settings of Mendix and prints them as the settings file of mxcert_runtime, or writes them to
--write PATH. It takes m2ee.yaml, custom settings pasted from Studio Pro or a console (name and
value), variables (MXRUNTIME_..., CUSTOM_RUNTIME_SETTINGS, the cloud's CLIENT_CERTIFICATES), the
JSON of any of them, and a Kubernetes resource. Passwords go into files of --secrets DIR, mode 0600,
or are left to you; they are never printed."""

_EPILOG = r"""
mxcert import m2ee.yaml --map 'D:\App=/etc/certs' --secrets /etc/certs --write mxcert.toml

exit status: 0 fine, although there may be something to fill in; 1 the settings have faults, or
nothing can be written; 2 wrong use"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "import",
        help="make a settings file of the settings of Mendix",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default=STDIN, help="the settings; - is stdin"
    )
    parser.add_argument(
        "--map",
        action="append",
        type=folder_map,
        default=[],
        metavar="OLD=NEW",
        help=r"a folder there and here, as often as you like: 'C:\certs=/etc/certs'",
    )
    parser.add_argument("--secrets", metavar="DIR", help="the folder for passwords and inline keys")
    parser.add_argument("--write", metavar="PATH", help="write the settings to this file")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    return parser
