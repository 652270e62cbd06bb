"""What ``mxcert demo`` is told: nothing."""

from __future__ import annotations

import argparse
from typing import Any

_DESCRIPTION = """\
Makes a CA, servers and three client certificates in a temporary folder, and runs an ordinary
client script against the servers, once with the plugin and once without. No preparation, loopback
only, nothing is left behind. Exit status 1 where something is not as the rules say."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "demo",
        help="show on this machine what the plugin does",
        description=_DESCRIPTION,
    )
    return parser
