"""The command ``mxcert``: one module for each subcommand, found in one table.

Exit status: 0 fine, 1 found a problem, 2 wrong use, 130 interrupted by Ctrl-C; that of ``run`` is
its program's, or 78 where the program is not started.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Sequence

from . import explain
from .check import command as check
from .demo import command as demo
from .parser import CommandParser
from .probe import command as probe
from .run import command as run

#: each has ``add_parser(subparsers)`` and ``run(arguments)``, which gives the exit status
_SUBCOMMANDS = {"demo": demo, "check": check, "explain": explain, "probe": probe, "run": run}
_INTERRUPTED = 130
_PROBLEM = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default those of the process.

    Gives the exit status. Raises ``SystemExit`` for ``--help``, ``--version`` and wrong use, as
    argparse does.
    """
    arguments = _parser().parse_all(argv)
    try:
        status: int = _SUBCOMMANDS[arguments.subcommand].run(arguments)
        # Here, where a reader that has gone can still be told apart.
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone (`mxcert check | head`); the flush at the end would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PROBLEM


def _parser() -> CommandParser:
    description = "The right client certificate for every TLS connection of a Python program."
    parser = CommandParser("mxcert", description=description)
    parser.add_argument("--version", action="version", version=f"mxcert {_version()}")
    subparsers = parser.add_subcommands(dest="subcommand", metavar="subcommand", required=True)
    for module in _SUBCOMMANDS.values():
        added = module.add_parser(subparsers)
        added.add_argument("--json", action="store_true", help="print JSON instead of text")
    return parser


def _version() -> str:
    try:
        return importlib.metadata.version("mxcert-runtime")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed, runs from its source)"
