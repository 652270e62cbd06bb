"""``mxcert init``: asks what it must, checks the file, and prints or writes settings that work.

Settings go to stdout or to a file, all else to stderr, so that `eval "$(mxcert init ...)"` works.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

from ..writing.files import NewFile, NotWrittenError, file_of_password, schema_beside, write_files
from . import environment, kubernetes, systemd
from .judgement import judge
from .opening import NotOpenedError, Opened, open_file
from .telling import Outcome, tell_errors, tell_failure, tell_outcome
from .wanted import CannotSayError, Formatted, Wanted

_WRONG_USE, _PROBLEM = 2, 1
_FORMATS = {
    "env": environment.shell_lines,
    "env-file": environment.file_lines,
    "toml": environment.toml,
    "kubernetes": kubernetes.resources,
    "systemd": systemd.drop_in,
}
_OF_ENDING = {
    **{".toml": "toml", ".env": "env-file", ".sh": "env", ".conf": "systemd"},
    **{".yaml": "kubernetes", ".yml": "kubernetes"},
}


def run(arguments: argparse.Namespace) -> int:
    """Ask, check, and print or write. Gives the exit status."""
    try:
        opened = open_file(arguments.file, arguments.key, arguments.password_file)
        wanted = _wanted(arguments, opened)
        judgement = judge(wanted)
        if judgement.errors:
            return tell_errors(judgement, as_json=arguments.json)
        wanted = replace(wanted, hosts=judgement.hosts)
        formatted = _formatted(arguments, wanted)
        files = list(_files(arguments, wanted, formatted))
        write_files(files, force=arguments.force)
    except (NotOpenedError, NotWrittenError) as error:
        return tell_failure(str(error), _PROBLEM, as_json=arguments.json)
    except CannotSayError as error:
        return tell_failure(str(error), _WRONG_USE, as_json=arguments.json)
    outcome = Outcome(judgement, formatted, tuple(each.path for each in files), arguments.write)
    tell_outcome(outcome, wanted, as_json=arguments.json)
    return 0


def _wanted(arguments: argparse.Namespace, opened: Opened) -> Wanted:
    name = arguments.name or os.path.splitext(os.path.basename(arguments.file))[0]
    password_file = arguments.password_file or f"{os.path.splitext(arguments.file)[0]}.pw"
    wanted = Wanted(
        name=name,
        material=opened.material,
        hosts=_hosts(arguments.host),
        authorities=tuple(map(os.path.abspath, arguments.ca)),
        password=opened.password,
        password_file=os.path.abspath(password_file),
        includes_secrets=arguments.include_secrets,
    )
    for text in wanted.texts:
        if not text.isascii() and text.encode(errors="ignore").decode() != text:
            raise CannotSayError(f"{text!a} has bytes that are no UTF-8. Name it in UTF-8.")
    return wanted


def _hosts(given: list[str] | None) -> tuple[str, ...]:
    if given is None and sys.stdin.isatty():
        print("Hosts that get the certificate, separated by blanks", file=sys.stderr)
        print("(nothing: every host that asks for one): ", end="", file=sys.stderr, flush=True)
        given = sys.stdin.readline().replace(",", " ").split()
    return tuple(dict.fromkeys(each for each in given or () if each))


def _formatted(arguments: argparse.Namespace, wanted: Wanted) -> Formatted:
    path = arguments.write and os.path.abspath(arguments.write)
    return _FORMATS[_format(arguments, wanted)](wanted, path)


def _format(arguments: argparse.Namespace, wanted: Wanted) -> str:
    if arguments.format:
        return str(arguments.format)
    ending = os.path.splitext(arguments.write or "")[1] or os.path.basename(arguments.write or "")
    return _OF_ENDING.get(ending, "env" if wanted.pkcs12 else "toml")


def _files(
    arguments: argparse.Namespace, wanted: Wanted, formatted: Formatted
) -> Iterator[NewFile]:
    """What is to be written, of which the user has asked for something."""
    path, named = arguments.write, arguments.password_file
    is_there = named is not None and os.path.lexists(named)
    is_kept = named is not None or path is not None
    if wanted.password is not None and wanted.names_password_file and is_kept and not is_there:
        if wanted.is_password_file_there and not arguments.force:
            problem = f"`{wanted.password_file}` is there already, where the password would go"
            remedy = "If it holds the password, name it by --password-file; --force overwrites it"
            raise NotWrittenError(f"{problem}. {remedy}.")
        yield file_of_password(wanted.password_file, wanted.password)
    if path is not None:
        yield NewFile.of_text(path, formatted.text, is_secret=formatted.holds_secret)
        if _format(arguments, wanted) == "toml":
            yield from schema_beside(path)
