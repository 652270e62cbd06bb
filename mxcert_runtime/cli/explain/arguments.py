"""What ``mxcert explain`` can be told."""

from __future__ import annotations

import argparse
from typing import Any

from ..settings_file import add_config

_DESCRIPTION = """\
Shows what the settings of this environment decide for a connection to URL: each place where a rule
could stand, most specific first, the rule that decided, the identity that it gives, and the
pinned CAs there, if there are such. No I/O but reading the settings; nothing is connected to."""
_EPILOG = """\
URL is https://host:port/, smtp://host:25, host:port or host. Where neither it nor its scheme has
a port, rules with a port do not count.

exit status: 0 explained, 1 the settings have faults, 2 wrong use"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "explain",
        help="show which certificate a host would see, and why",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("endpoint", type=_endpoint, metavar="URL", help="what is connected to")
    add_config(parser)
    parser.add_argument(
        "--service", metavar="NAME", help="the service that the code has named, if it names one"
    )
    parser.add_argument(
        "--client", metavar="MODULE", help="the library that connects, by the name of its import"
    )
    return parser


def _endpoint(text: str) -> tuple[str, int | None]:
    # Late: this is heavy, and `mxcert --help` has no use for it.
    from ...decisions import endpoint_of
    from ...errors import HostNameError

    try:
        return endpoint_of(text)
    except HostNameError as error:
        problem = str(error)
    raise argparse.ArgumentTypeError(problem)
