"""``mxcert completion``: what a shell evaluates, so that its tabulator key knows the command.

The words come from the command itself, which argcomplete asks (the extra ``completion``): there is
no list of them that could be of another version.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from typing import Any

from ..base import process_environ

_SHELLS = ("bash", "zsh", "fish")
#: by which argcomplete's script says that a shell asks
_VARIABLE = "_ARGCOMPLETE"
_PROBLEM = 1
_MISSING = (
    "mxcert completion: needs argcomplete, which is not installed here. Install it: `pip install"
    " argcomplete`"
)

_DESCRIPTION = """\
Prints what a shell evaluates to complete subcommands, options and their values:

  bash   eval "$(mxcert completion bash)"          in ~/.bashrc
  zsh    eval "$(mxcert completion zsh)"           in ~/.zshrc, behind compinit
  fish   mxcert completion fish | source           in ~/.config/fish/config.fish

It needs argcomplete (the extra `completion`) in the environment of mxcert."""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the subcommand to what ``ArgumentParser.add_subparsers`` gave."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "completion",
        help="print what completes this command in a shell",
        description=_DESCRIPTION,
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the script. Gives the exit status."""
    library = _argcomplete()
    if library is None:
        print(_MISSING, file=sys.stderr)
        return _PROBLEM
    script = library.shellcode(["mxcert"], shell=arguments.shell)
    print(json.dumps({"shell": arguments.shell, "script": script}) if arguments.json else script)
    return 0


def answer_shell(parser: argparse.ArgumentParser) -> None:
    """Where a shell asks for completions, give them and end the process; else nothing."""
    if _VARIABLE not in process_environ():
        return
    library = _argcomplete()
    if library is None:
        raise SystemExit(_PROBLEM)  # the shell shows nothing of it, and needs nothing but an end
    library.autocomplete(parser)


def _argcomplete() -> Any:
    try:
        return importlib.import_module("argcomplete")
    except ImportError:
        return None
