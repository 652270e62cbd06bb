"""The parser of the command's arguments: what is wrong is told with the usage of its subcommand.

Options are never abbreviated: a script that does so would break once there is another option.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from ..base import NearWords
from ..base.printable import printable


class CommandParser(argparse.ArgumentParser):
    """Its errors quote the arguments: what does not print in them is an escape."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        super().__init__(*arguments, **options)
        self._subparsers_by_name: dict[str, CommandParser] = {}

    def add_subcommands(self, **options: Any) -> Any:
        """As ``add_subparsers``; their errors are told with their own usage."""
        added: Any = self.add_subparsers(parser_class=_SubcommandParser, **options)
        self._subparsers_by_name = added.choices
        return added

    def parse_all(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """The arguments, all of which have to be known. Raises ``SystemExit`` as argparse does."""
        parsed, unknown = self.parse_known_args(arguments)
        if unknown:
            subparser = self._subparsers_by_name[parsed.subcommand]
            subparser.error(f"unrecognized arguments: {' '.join(unknown)}{subparser.hint(unknown)}")
        return parsed

    def hint(self, unknown: Iterable[str]) -> str:
        """The option that may be meant, if there is one that looks like the first of these."""
        option = next(iter(unknown)).partition("=")[0]
        return _did_you_mean(option, self._option_string_actions, skipped="--")

    def error(self, message: str) -> NoReturn:
        """Print the message and the usage, and exit with 2."""
        super().error(printable(message))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            problem = f"{error.message}{_did_you_mean(str(value), action.choices or ())}"
        else:
            return
        raise argparse.ArgumentError(action, problem)


class _SubcommandParser(CommandParser):
    """Its description is shown in the lines that it is written in."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(*arguments, formatter_class=raw, **options)


def _did_you_mean(word: str, known: Iterable[Any], skipped: str = "") -> str:
    near = NearWords().nearest(word, map(str, known), skipped)
    return f"; did you mean `{near}`?" if near else ""
