"""What ``mxcert check`` can be told."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from ..durations import parse_duration
from ..settings_file import add_config
from .selection import SECTIONS

_DESCRIPTION = """\
Shows every setting in effect with its origin, every identity, every rule in order of precedence,
every error and every warning. Never a secret: a password is shown as (set). Hooks
nothing and connects to nothing; run it in the environment of the program, as its user."""

_EPILOG = """\
exit status:
  0  fine
  1  an error: settings that cannot be used; a certificate that has expired, is not valid yet, or
     expires within --expires-within; no settings at all, or MXCERT_DISABLE=1; with --sign a key in
     a token that does not sign; with --strict any warning as well
  2  wrong use

--json prints one object, whose "schema" is "mxcert-check/2": "ok" (true is exit status 0),
"checked_at", "settings", "identities", "rules", "default", "extra_authorities", "errors",
"warnings", "ignored" (the codes of --ignore), "summary" and "shown" (the sections that --only and
--identity leave). Each error and warning has a stable "code". With --summary it is one of
"mxcert-check-summary/1": "ok" and the members of "summary".
--schema prints the JSON Schema of it. New members may come; none changes its meaning under the
same "schema"."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "check",
        help="show the settings in effect, and what is wrong with them",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    add_config(parser)
    parser.add_argument(
        "--expires-within",
        type=parse_duration,
        default=timedelta(days=30),
        metavar="DURATION",
        help="a certificate that expires sooner is an error; 12h, 30d, 2w (default: 30d); of one"
        " that lives a week or less only the last third of its life counts",
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 for any warning, not only for errors"
    )
    parser.add_argument(
        "--ignore",
        action="append",
        type=_ignorable,
        default=[],
        metavar="CODE",
        help="leave out what has this code, as often as you like; not what stops a program",
    )
    _add_sections(parser)
    parser.add_argument(
        "--sign",
        action="store_true",
        help="make keys in PKCS#11 tokens sign, and verify it; without this they are only found",
    )
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of --json, and check nothing"
    )
    return parser


def _add_sections(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--summary", action="store_true", help="show only how much there is, and how it stands"
    )
    parser.add_argument(
        "--identity", metavar="NAME", help="show only what is of this identity; all is judged"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=SECTIONS,
        default=[],
        metavar="SECTION",
        help=f"show only this section, as often as you like: {', '.join(SECTIONS)}; all is judged",
    )


def _ignorable(text: str) -> str:
    from ...base import NearWords
    from ...diagnosis import DiagnosticCode

    codes = [each.value for each in DiagnosticCode if each is not DiagnosticCode.INVALID_SETTINGS]
    if text in codes:
        return text
    near = NearWords().nearest(text, codes)
    hint = f"; did you mean `{near}`?" if near else f"; there are {', '.join(codes)}"
    raise argparse.ArgumentTypeError(f"{text!r} is no code that can be ignored{hint}")
