"""What ``mxcert run`` can be told."""

from __future__ import annotations

import argparse
from typing import Any

from ..settings_file import add_config

_DESCRIPTION = """\
Judges the settings and starts a program, unchanged, with the plugin active from its first line, in
every Python that it starts as well. Where the settings cannot be used, or there are none, the
program is not started: the report is on stderr, and the exit status is 78.

  mxcert run -- python legacy.py
  mxcert run -- python -m package
  mxcert run --config /etc/app/mxcert.toml -- gunicorn --workers 4 app:app

Its signals, exit status and terminal are as without. The Python that it runs on must have
mxcert_runtime installed. What is no Python would run without identities, and is not started; a
shell is, with a warning, since what it starts is not known beforehand. Behind any other launcher:

  poetry run mxcert run -- python legacy.py"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "run",
        help="start a program with the plugin active in it",
        description=_DESCRIPTION,
    )
    add_config(parser)
    parser.add_argument(
        "--allow-no-settings",
        action="store_true",
        help="start the program without the plugin where there are no settings at all",
    )
    parser.add_argument(
        "--allow-any-program",
        action="store_true",
        help="start it though it is no Python, for the sake of those that it starts",
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, help="the program and its arguments, behind --"
    )
    return parser
