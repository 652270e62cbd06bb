"""``mxcert demo``: shows what the plugin does, on loopback, and leaves nothing behind."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .report import Row

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
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print its table. Gives the exit status."""
    # What these import is heavy, and `mxcert --help` has no use for it.
    from ..terminal import open_terminal
    from .report import as_json, hints, print_report
    from .world import DemoError

    try:
        rows = _play()
    except DemoError as error:
        _tell(str(error))
        return 1
    for hint in hints(rows):
        _tell(hint)
    if arguments.json:
        print(as_json(rows))
    else:
        print_report(open_terminal(), rows)
    return 0 if all(row.is_as_expected for row in rows) else 1


def _tell(text: str) -> None:
    print(f"mxcert demo: {text}", file=sys.stderr)


def _play() -> list[Row]:
    from .report import make_rows
    from .world import open_world

    with open_world() as world:
        with_plugin = world.run_client(world.plugin_environment)
        without_plugin = world.run_client(world.plain_environment)
        return make_rows(world.decisions(), with_plugin, without_plugin)
