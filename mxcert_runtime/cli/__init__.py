"""The command ``mxcert``: one room for each subcommand, found in one table.

Exit status: 0 fine, 1 found a problem, 2 wrong use, 130 interrupted by Ctrl-C; that of ``run`` is
its program's, or 78 where the program is not started.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from .completion import answer_shell
from .parser import CommandParser
from .settings_file import settings_file_of

#: where the arguments of each are, by `add_parser(subparsers)`, and where it is done, by
#: `run(arguments)`, which gives the status: what the latter imports may be heavy
_SUBCOMMANDS = {
    "init": (".init.arguments", ".init.command"),
    "import": (".importing.arguments", ".importing.command"),
    "demo": (".demo.arguments", ".demo.command"),
    "check": (".check.arguments", ".check.command"),
    "explain": (".explain.arguments", ".explain.command"),
    "probe": (".probe.arguments", ".probe.command"),
    "run": (".run.arguments", ".run.command"),
    "schema": (".schema", ".schema"),
    "autostart": (".autostart", ".autostart"),
    "completion": (".completion", ".completion"),
}
_INTERRUPTED = 130
_PROBLEM = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default those of the process.

    Gives the exit status. Raises ``SystemExit`` for ``--help``, ``--version`` and wrong use, as
    argparse does.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    parser = _parser(_at_hand(words))
    answer_shell(parser)
    arguments = parser.parse_all(words)
    try:
        with settings_file_of(arguments):
            status = _run(arguments)
        # Here, where a reader that has gone can still be told apart.
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone (`mxcert check | head`); the flush at the end would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PROBLEM


def _at_hand(words: Sequence[str]) -> Iterable[str]:
    """The subcommand that comes first alone: those beside it need not be loaded for it."""
    return words[:1] if words and words[0] in _SUBCOMMANDS else _SUBCOMMANDS


def _run(arguments: argparse.Namespace) -> int:
    _, command = _SUBCOMMANDS[arguments.subcommand]
    status: int = importlib.import_module(command, __name__).run(arguments)
    return status


def _parser(subcommands: Iterable[str]) -> CommandParser:
    description = "The right client certificate for every TLS connection of a Python program."
    parser = CommandParser("mxcert", description=description)
    told = "show program's version number and exit"
    parser.add_argument("--version", action=_Version, nargs=0, help=told)
    subparsers = parser.add_subcommands(dest="subcommand", metavar="subcommand", required=True)
    for name in subcommands:
        module, _ = _SUBCOMMANDS[name]
        added = importlib.import_module(module, __name__).add_parser(subparsers)
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
