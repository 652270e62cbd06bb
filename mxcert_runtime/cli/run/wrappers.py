"""Commands that become the command behind them, such as ``nice``, ``timeout`` and ``env``.

They are looked through, for what they do to the environment and what they start. Options that are
not known here end the look, and so does what a wrapper itself would refuse.
"""

from __future__ import annotations

import getopt
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple


class UnknownUseError(Exception):
    """A wrapper is used in a way that is not known here."""


class _Usage(NamedTuple):
    """Options as ``getopt`` takes them, and how many words stand before the command."""

    short: str = ""
    long: tuple[str, ...] = ()
    operands: int = 0


#: as coreutils, util-linux, GNU time and the small init processes of containers have them
_WRAPPERS = {
    "dumb-init": _Usage("cvr:", ("single-child", "verbose", "rewrite=")),
    "ionice": _Usage("c:n:t", ("class=", "classdata=", "ignore")),
    "nice": _Usage("n:0123456789", ("adjustment=",)),
    "nohup": _Usage(),
    "setsid": _Usage("cfw", ("ctty", "fork", "wait")),
    "stdbuf": _Usage("i:o:e:", ("input=", "output=", "error=")),
    "time": _Usage("apqvf:o:", ("append", "portability", "quiet", "verbose", "format=", "output=")),
    "timeout": _Usage(
        "fpvk:s:", ("foreground", "preserve-status", "verbose", "kill-after=", "signal="), 1
    ),
    "tini": _Usage("gslvwe:p:"),
}
_ENV = _Usage(
    "iv0a:u:C:S:",
    ("ignore-environment", "debug", "null", "argv0=", "unset=", "chdir=", "split-string="),
)


class Wrapped(NamedTuple):
    """The command behind a wrapper, and the environment that it gets."""

    command: list[str]
    environ: dict[str, str]


def look_through(command: Sequence[str], environ: Mapping[str, str]) -> Wrapped | None:
    """What stands behind a wrapper, which may be another; ``None`` where the command is none.

    Raises :class:`UnknownUseError`.
    """
    name = PurePath(command[0]).name
    if name == "env":
        return _look_through_env(command[1:], environ)
    usage = _WRAPPERS.get(name)
    if usage is None:
        return None
    _, remaining = _parse(usage, command[1:])
    return _wrapped(remaining[usage.operands :], environ)


def _look_through_env(arguments: Sequence[str], environ: Mapping[str, str]) -> Wrapped:
    changed, remaining = dict(environ), list(arguments)
    while remaining and remaining[0].startswith("-"):
        if remaining[0] == "--":
            del remaining[0]
            break
        if remaining[0] == "-":
            remaining[0] = "-i"
        options, remaining = _parse_one(_ENV, remaining)
        for option, value in options:
            if option in ("-i", "--ignore-environment"):
                changed.clear()
            elif option in ("-u", "--unset"):
                changed.pop(value, None)
            elif option in ("-S", "--split-string"):
                remaining = [*_split(value), *remaining]
    while remaining and "=" in remaining[0]:
        name, _, value = remaining.pop(0).partition("=")
        changed[name] = value
    return _wrapped(remaining, changed)


def _parse_one(usage: _Usage, arguments: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The first word of the options, with its value, which may be the next word."""
    try:
        options, _ = _parse(usage, arguments[:1])
        return options, arguments[1:]
    except UnknownUseError:
        options, _ = _parse(usage, arguments[:2])
        return options, arguments[2:]


def _parse(usage: _Usage, arguments: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    try:
        return getopt.getopt(list(arguments), usage.short, list(usage.long))
    except getopt.GetoptError as error:
        raise UnknownUseError(str(error)) from None


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UnknownUseError(str(error)) from None


def _wrapped(command: list[str], environ: Mapping[str, str]) -> Wrapped:
    if not command:
        raise UnknownUseError("it names no command")
    return Wrapped(command, dict(environ))
