"""The command ``mxcert``: one module for each subcommand, found in one table.

Exit status: 0 fine, 1 found a problem, 2 wrong use, 130 interrupted by Ctrl-C; that of ``run`` is
its program's, or 78 where the program is not started.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from .completion import answer_shell
from .parser import CommandParser
from .settings_file import settings_file_of

#: where each is: it has ``add_parser(subparsers)``, and ``run(arguments)``, which gives the status
_SUBCOMMANDS = {
    "init": ".init.command",
    "import": ".importing.command",
    "demo": ".demo.command",
    "check": ".check.command",
    "explain": ".explain",
    "probe": ".probe.command",
    "run": ".run.command",
    "schema": ".schema",
    "autostart": ".autostart",
    "completion": ".completion",
}
_INTERRUPTED = 130
_PROBLEM = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default those of the process.

    Gives the exit status. Raises ``SystemExit`` for ``--help``, ``--version`` and wrong use, as
    argparse does.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    modules = _modules(words)
    parser = _parser(modules)
    answer_shell(parser)
    arguments = parser.parse_all(words)
    try:
        with settings_file_of(arguments):
            status: int = modules[arguments.subcommand].run(arguments)
        # Here, where a reader that has gone can still be told apart.
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone (`mxcert check | head`); the flush at the end would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PROBLEM


def _modules(words: Sequence[str]) -> dict[str, ModuleType]:
    """The subcommand that comes first alone: those beside it need not be loaded for it."""
    names = words[:1] if words and words[0] in _SUBCOMMANDS else _SUBCOMMANDS
    return {name: importlib.import_module(_SUBCOMMANDS[name], __name__) for name in names}


def _parser(modules: dict[str, ModuleType]) -> CommandParser:
    description = "The right client certificate for every TLS connection of a Python program."
    parser = CommandParser("mxcert", description=description)
    told = "show program's version number and exit"
    parser.add_argument("--version", action=_Version, nargs=0, help=told)
    subparsers = parser.add_subcommands(dest="subcommand", metavar="subcommand", required=True)
    for module in modules.values():
        added = module.add_parser(subparsers)
        added.add_argument("--json", action="store_true", help="print JSON instead of text")
    return parser


class _Version(argparse.Action):
    """Prints the version, which takes some looking for, and exits."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        import importlib.metadata

        try:
            version = importlib.metadata.version("mxcert-runtime")
        except importlib.metadata.PackageNotFoundError:
            version = "(not installed, runs from its source)"
        print(f"mxcert {version}")
        parser.exit()
