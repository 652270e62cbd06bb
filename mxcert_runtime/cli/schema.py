"""``mxcert schema``: the JSON Schema of the settings file, by which editors check it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ..base.printable import printable

_DESCRIPTION = """\
Prints the JSON Schema (draft 2020-12) of the settings file, or writes it to PATH. An editor with
TOML support takes it where the file begins with `#:schema ./mxcert.schema.json`. Whether a file can
be used, only `mxcert check` can say."""
_WROTE = "mxcert-schema/1"


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of the settings file",
        description=_DESCRIPTION,
    )
    parser.add_argument("--write", metavar="PATH", help="write it to this file")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print or write it. Gives the exit status."""
    from ..base import Secret
    from ..settings import schema_text
    from .writing.files import NewFile, NotWrittenError, write_files

    text = schema_text()
    if arguments.write is None:
        print(text, end="")
        return 0
    try:
        write_files([NewFile.of_text(arguments.write, Secret(text))], force=arguments.force)
    except NotWrittenError as error:
        print(printable(f"mxcert schema: {error}"), file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps({"schema": _WROTE, "ok": True, "written": [arguments.write]}, indent=2))
    return 0
