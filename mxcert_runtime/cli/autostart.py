"""``mxcert autostart``: the one file that starts the plugin where MXCERT_AUTOSTART asks for it.

Who wants no such file in site-packages removes it: `import mxcert_runtime` works without.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.resources
import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from ..base import dataclass, process_environ
from ..base.printable import printable

FILE = "mxcert_runtime_autostart.pth"
_SOURCE = "autostart.pth"
_PACKAGE, _DISTRIBUTION = "mxcert_runtime", "mxcert-runtime"
_SCHEMA_NAME = "mxcert-autostart/1"

_DESCRIPTION = f"""\
Says whether {FILE} stands beside the package, removes it or puts it back. It is
what MXCERT_AUTOSTART and `mxcert run` work by; without it they start nothing, and
`import mxcert_runtime` is the way. pip keeps record of it in any case."""
_EPILOG = """\
exit status: 0 done, or the file is there; 1 it is not there, is not ours, or cannot be changed;
2 wrong use"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "autostart",
        help="the .pth file that MXCERT_AUTOSTART works by: status, removal, installation",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--status", action="store_true", help="whether it is there (the default)")
    action.add_argument("--remove", action="store_true", help="remove it")
    action.add_argument("--install", action="store_true", help="put it there")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked and say how it stands. Gives the exit status."""
    place = _find_place()
    problem = _changed(place, arguments)
    state = _state(place)
    _tell(place, state, problem, as_json=arguments.json)
    is_wanted = state == ("absent" if arguments.remove else "present")
    return 0 if is_wanted and problem is None else 1


@dataclass(frozen=True)
class _Place:
    """Where the file is, or would be, and pip's record of the installation, if there is one."""

    file: Path
    record: Path | None


def _changed(place: _Place, arguments: argparse.Namespace) -> str | None:
    """Do what is asked. Gives what is in the way of it, and what to do."""
    if arguments.install and place.record is None:
        return (
            "the package is not installed in this Python, which would end with 78 under"
            " MXCERT_AUTOSTART=1. Install it with pip"
        )
    try:
        if arguments.remove:
            _remove(place)
        elif arguments.install:
            _install(place)
    except OSError as error:
        return f"{place.file} cannot be changed: {error.strerror}. Run it as the user who owns it"
    return None


def _find_place() -> _Place:
    """Beside the package, as pip has installed it for this Python."""
    default = Path(sysconfig.get_path("purelib"), FILE)
    # A checkout that is the working directory has metadata too, of a build, without a record.
    for distribution in importlib.metadata.distributions(name=_DISTRIBUTION):
        files = distribution.files or ()
        found = {each.name: Path(str(each.locate())) for each in files if len(each.parts) <= 2}
        record = found.get("RECORD")
        # In a bundle such as a zipapp it is no file, and `site` looks for none there.
        if record is not None and record.is_file():
            return _Place(found.get(FILE, record.parent.parent / FILE), record)
    return _Place(default, None)


def _state(place: _Place) -> str:
    try:
        if place.file.read_bytes() != _content():
            return "changed"
        return "present" if _is_read() else "unread"
    except FileNotFoundError:
        return "absent"
    except OSError:
        return "unreadable"


def _is_read() -> bool:
    """Whether this Python reads it: not where its folder is on PYTHONPATH alone."""
    from .run.interpreter import has_autostart
    from .run.programs import Kind, Program

    try:
        return has_autostart(Program(Kind.PYTHON, [sys.executable], dict(process_environ())))
    except subprocess.SubprocessError:
        return False


def _content() -> bytes:
    return (importlib.resources.files(_PACKAGE) / _SOURCE).read_bytes()


def _remove(place: _Place) -> None:
    place.file.unlink(missing_ok=True)


def _install(place: _Place) -> None:
    place.file.write_bytes(_content())
    if place.record is None:
        return
    # A build may have left it out; what pip has record of, it takes away with the package.
    lines = place.record.read_text(encoding="utf-8")
    if not any(line.partition(",")[0] == FILE for line in lines.splitlines()):
        place.record.write_text(f"{lines}{FILE},,\n", encoding="utf-8")


_WORDS = {
    "present": "is there: MXCERT_AUTOSTART=1 starts the plugin, and without it nothing is imported",
    "unread": "is there, and this Python does not read it: its folder is on PYTHONPATH, and no"
    " folder of site-packages. Install it with pip, without --target",
    "absent": "is not there: MXCERT_AUTOSTART and `mxcert run` start nothing in this Python",
    "changed": "is there, and is not what this version installs: put it back with --install",
    "unreadable": "is there, and cannot be read",
}


def _tell(place: _Place, state: str, problem: str | None, *, as_json: bool) -> None:
    if problem is not None:
        print(printable(f"mxcert autostart: {problem}."), file=sys.stderr)
    if as_json:
        print(json.dumps({"schema": _SCHEMA_NAME, "file": str(place.file), "state": state}))
    else:
        print(printable(f"{place.file} {_WORDS[state]}."))
