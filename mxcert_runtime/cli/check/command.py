"""``mxcert check``: what the settings of this environment come to, and what is wrong with them.

It reads what a program would read and hooks nothing.
"""

from __future__ import annotations

import argparse
import json
import sys

from ...base.printable import printable
from ..terminal import open_terminal
from .report import make_report
from .schema import SCHEMA
from .selection import UnknownIdentityError, select
from .summary import only_summary
from .text import print_report, print_summary

_WRONG_USE = 2


def run(arguments: argparse.Namespace) -> int:
    """Check and print the report. Gives the exit status."""
    if arguments.schema:
        print(json.dumps(SCHEMA, indent=2))
        return 0
    report = make_report(
        arguments.expires_within, arguments.strict, arguments.ignore, signing=arguments.sign
    )
    try:
        shown = select(report, arguments.only, arguments.identity)
    except UnknownIdentityError as error:
        print(printable(f"mxcert check: {error}"), file=sys.stderr)
        return _WRONG_USE
    if arguments.json:
        print(json.dumps(only_summary(report) if arguments.summary else shown, indent=2))
    elif arguments.summary:
        print_summary(open_terminal(), report)
    else:
        print_report(open_terminal(), shown)
    return 0 if report["ok"] else 1
