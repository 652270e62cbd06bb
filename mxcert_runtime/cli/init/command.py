"""``mxcert init``: asks what it must, checks the file, and prints or writes settings that work.

Settings go to stdout or to a file, all else to stderr, so that `eval "$(mxcert init ...)"` works.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..writing.files import NewFile
    from .opening import Opened
    from .wanted import Formatted, Wanted

_WRONG_USE, _PROBLEM = 2, 1
FORMATS = ("env", "env-file", "toml", "kubernetes", "systemd")
_OF_ENDING = {
    **{".toml": "toml", ".env": "env-file", ".sh": "env", ".conf": "systemd"},
    **{".yaml": "kubernetes", ".yml": "kubernetes"},
}

_DESCRIPTION = """\
Makes settings of a file with a client certificate and its key: PKCS12 (.pfx, .p12), or PEM with
--key. It opens the file, checks it as `mxcert check` does, and prints settings, or writes them to
--write PATH. At a terminal it asks for what no option says: the password, and the hosts."""

_EPILOG = """\
formats:
  env         export lines for a shell: eval "$(mxcert init billing.pfx --host api.example)"
  env-file    NAME=VALUE lines, for docker run --env-file
  toml        the settings file, which MXCERT_CONFIG names
  kubernetes  a ConfigMap, what a Deployment needs, and the Secret or the command that makes it
  systemd     a drop-in of a unit, with LoadCredential=
Without --format it is what PATH ends in; else env, or toml for PEM.

The password is named by its file and never printed, unless --include-secrets says so. A file that
--password-file names is read if it is there, and else written with the password that was asked for.

exit status: 0 fine, 1 the file cannot be used or nothing can be written, 2 wrong use"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "init",
        help="make settings of a file with a client certificate",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the file with the certificate")
    parser.add_argument("--key", metavar="PATH", help="the file with the key, for PEM")
    parser.add_argument(
        "--host",
        action="append",
        metavar="HOST",
        help="a host that gets the certificate, as often as you like: host, host:port, *.domain;"
        " `--host ''` is every host that asks",
    )
    parser.add_argument("--password-file", metavar="PATH", help="the file with the password")
    parser.add_argument("--ca", action="append", default=[], metavar="PATH", help="a CA of servers")
    parser.add_argument("--name", metavar="NAME", help="what the identity is called")
    parser.add_argument("--format", choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--write", metavar="PATH", help="write the settings to this file")
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    parser.add_argument(
        "--include-secrets",
        action="store_true",
        help="the password in clear in the settings, and key and password in the Secret",
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Ask, check, and print or write. Gives the exit status."""
    # What these import is heavy, and `mxcert --help` has no use for it.
    from ..writing.files import NotWrittenError, write_files
    from .judgement import judge
    from .opening import NotOpenedError, open_file
    from .telling import Outcome, tell_errors, tell_failure, tell_outcome
    from .wanted import CannotSayError

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
    from .wanted import CannotSayError, Wanted

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
    from . import environment, kubernetes, systemd

    formats = {
        "env": environment.shell_lines,
        "env-file": environment.file_lines,
        "toml": environment.toml,
        "kubernetes": kubernetes.resources,
        "systemd": systemd.drop_in,
    }
    path = arguments.write and os.path.abspath(arguments.write)
    return formats[_format(arguments, wanted)](wanted, path)


def _format(arguments: argparse.Namespace, wanted: Wanted) -> str:
    if arguments.format:
        return str(arguments.format)
    ending = os.path.splitext(arguments.write or "")[1] or os.path.basename(arguments.write or "")
    return _OF_ENDING.get(ending, "env" if wanted.pkcs12 else "toml")


def _files(
    arguments: argparse.Namespace, wanted: Wanted, formatted: Formatted
) -> Iterator[NewFile]:
    """What is to be written, of which the user has asked for something."""
    from ..writing.files import NewFile, NotWrittenError, file_of_password, schema_beside

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
