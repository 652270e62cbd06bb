"""``mxcert import``: settings of Mendix to the native file, with a report of what became of each.

What is made is read back and compared with what the old settings mean before anything is written.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .paths import folder_map

if TYPE_CHECKING:
    from ...base import Secret
    from .carrying import Carried, Way
    from .reading import Imported

_WRONG_USE, _PROBLEM = 2, 1
_STDIN = "-"

_DESCRIPTION = r"""
Reads settings of Mendix and prints them as the settings file of mxcert_runtime, or writes them to
--write PATH. It takes m2ee.yaml, custom settings pasted from Studio Pro or a console (name and
value), variables (MXRUNTIME_..., CUSTOM_RUNTIME_SETTINGS, the cloud's CLIENT_CERTIFICATES), the
JSON of any of them, and a Kubernetes resource. Passwords go into files of --secrets DIR, mode 0600,
or are left to you; they are never printed."""

_EPILOG = r"""
mxcert import m2ee.yaml --map 'D:\App=/etc/certs' --secrets /etc/certs --write mxcert.toml

exit status: 0 fine, although there may be something to fill in; 1 the settings have faults, or
nothing can be written; 2 wrong use"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "import",
        help="make a settings file of the settings of Mendix",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default=_STDIN, help="the settings; - is stdin"
    )
    parser.add_argument(
        "--map",
        action="append",
        type=folder_map,
        default=[],
        metavar="OLD=NEW",
        help=r"a folder there and here, as often as you like: 'C:\certs=/etc/certs'",
    )
    parser.add_argument("--secrets", metavar="DIR", help="the folder for passwords and inline keys")
    parser.add_argument("--write", metavar="PATH", help="write the settings to this file")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Read, carry over, and print or write. Gives the exit status."""
    # What these import is heavy, and `mxcert --help` has no use for it.
    from ..writing.files import NotWrittenError, write_files
    from .carrying import NotCarriedError, Way, carry
    from .reading import read_source
    from .telling import tell_carried, tell_failure, tell_faults

    try:
        imported = read_source(_text(arguments.file))
        if imported.reading.faults:
            return tell_faults(imported, as_json=arguments.json)
        if not imported.reading.settings:
            raise NotCarriedError(_NOTHING)
        secrets = arguments.secrets and os.path.abspath(arguments.secrets)
        way = Way(tuple(arguments.map), secrets)
        carried = carry(imported.reading.settings, way)
        _compare(imported, carried, way)
        text, files = _output(arguments, carried)
        write_files(files, force=arguments.force)
    except (NotCarriedError, NotWrittenError) as error:
        return tell_failure(str(error), as_json=arguments.json)
    written = tuple(each.path for each in files)
    printed = None if arguments.write else text
    tell_carried(imported, carried, printed, written, as_json=arguments.json)
    return 0


_NOTHING = (
    "no setting of client certificates is in it. It takes ClientCertificates and its family,"
    " CLIENT_CERTIFICATES, m2ee.yaml with mxruntime:, or runtime.clientCertificates. Write a name"
    " and its value as `Name: value` or `Name = value`, with a tab between them, or on two lines."
)


def _text(path: str) -> Secret[str]:
    from ...base import MAX_BYTES, Secret, read_bounded, reason_of
    from .carrying import NotCarriedError

    try:
        is_stdin = path == _STDIN
        content = Secret(sys.stdin.buffer.read(MAX_BYTES)) if is_stdin else read_bounded(path)
        return Secret(content.reveal().decode("utf-8-sig"))
    except UnicodeDecodeError:
        problem = f"`{path}` is no UTF-8 text. Save it as UTF-8"
    except (OSError, ValueError) as error:
        problem = f"`{path}` cannot be read: {reason_of(error)}. Name a file that can be read"
    raise NotCarriedError(f"{problem}.")


def _compare(imported: Imported, carried: Carried, way: Way) -> None:
    """Read what is made as a program would, with passwords in it, and compare."""
    from ...settings import settings_of_text
    from ..writing.native import toml_text
    from .carrying import NotCarriedError, differences

    identities = [replace(each, password_file=None) for each in carried.file.identities]
    text = toml_text(replace(carried.file, identities=tuple(identities)))
    new = settings_of_text(text, ".toml")
    found = [*map(str, new.faults), *differences(imported.reading, new, carried, way)]
    if found:
        problem = f"the settings file would not mean the same: {'; '.join(found)}"
        raise NotCarriedError(f"{problem}. Write these by hand, and report it as a fault of ours.")


def _output(arguments: argparse.Namespace, carried: Carried) -> tuple[Secret[str], list[Any]]:
    """The text of the settings, and the files that the user asked for."""
    from ..writing.files import NewFile, schema_beside
    from ..writing.native import ENDING, toml_text
    from .carrying import NotCarriedError

    if arguments.write is not None and not arguments.write.lower().endswith(ENDING):
        problem = f"`{arguments.write}` would not be read as TOML"
        raise NotCarriedError(f"{problem}. Write a file that ends in {ENDING}.")
    text = toml_text(carried.file)
    files = list(carried.files)
    if arguments.write is not None:
        files += [NewFile.of_text(arguments.write, text), *schema_beside(arguments.write)]
    return text, files
