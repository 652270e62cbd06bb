"""``mxcert import``: settings of Mendix to the native file, with a report of what became of each.

What is made is read back and compared with what the old settings mean before anything is written.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace

from ...base import MAX_BYTES, Secret, read_bounded, reason_of
from ...settings import settings_of_text
from ..writing.files import NewFile, NotWrittenError, schema_beside, write_files
from ..writing.native import ENDING, toml_text
from .arguments import STDIN
from .carrying import Carried, NotCarriedError, Way, carry, differences
from .reading import Imported, read_source
from .telling import tell_carried, tell_failure, tell_faults

_NOTHING = (
    "no setting of client certificates is in it. It takes ClientCertificates and its family,"
    " CLIENT_CERTIFICATES, m2ee.yaml with mxruntime:, or runtime.clientCertificates. Write a name"
    " and its value as `Name: value` or `Name = value`, with a tab between them, or on two lines."
)


def run(arguments: argparse.Namespace) -> int:
    """Read, carry over, and print or write. Gives the exit status."""
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


def _text(path: str) -> Secret[str]:
    try:
        is_stdin = path == STDIN
        content = Secret(sys.stdin.buffer.read(MAX_BYTES)) if is_stdin else read_bounded(path)
        return Secret(content.reveal().decode("utf-8-sig"))
    except UnicodeDecodeError:
        problem = f"`{path}` is no UTF-8 text. Save it as UTF-8"
    except (OSError, ValueError) as error:
        problem = f"`{path}` cannot be read: {reason_of(error)}. Name a file that can be read"
    raise NotCarriedError(f"{problem}.")


def _compare(imported: Imported, carried: Carried, way: Way) -> None:
    """Read what is made as a program would, with passwords in it, and compare."""
    identities = [replace(each, password_file=None) for each in carried.file.identities]
    text = toml_text(replace(carried.file, identities=tuple(identities)))
    new = settings_of_text(text, ".toml")
    found = [*map(str, new.faults), *differences(imported.reading, new, carried, way)]
    if found:
        problem = f"the settings file would not mean the same: {'; '.join(found)}"
        raise NotCarriedError(f"{problem}. Write these by hand, and report it as a fault of ours.")


def _output(arguments: argparse.Namespace, carried: Carried) -> tuple[Secret[str], list[NewFile]]:
    """The text of the settings, and the files that the user asked for."""
    if arguments.write is not None and not arguments.write.lower().endswith(ENDING):
        problem = f"`{arguments.write}` would not be read as TOML"
        raise NotCarriedError(f"{problem}. Write a file that ends in {ENDING}.")
    text = toml_text(carried.file)
    files = list(carried.files)
    if arguments.write is not None:
        files += [NewFile.of_text(arguments.write, text), *schema_beside(arguments.write)]
    return text, files
