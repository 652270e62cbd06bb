"""``mxcert demo``: shows what the plugin does, on loopback, and leaves nothing behind."""

from __future__ import annotations

import argparse
import sys

from ..terminal import open_terminal
from .report import Row, as_json, hints, make_rows, print_report
from .world import DemoError, open_world


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print its table. Gives the exit status."""
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
    with open_world() as world:
        with_plugin = world.run_client(world.plugin_environment)
        without_plugin = world.run_client(world.plain_environment)
        return make_rows(world.decisions(), with_plugin, without_plugin)
