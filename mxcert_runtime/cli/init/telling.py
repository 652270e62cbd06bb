"""What ``mxcert init`` prints: the settings on stdout, all that is said of them on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from ...base import dataclass
from ...base.printable import printable
from ..check.text import describe_chain
from ..layout import Style, Styled
from ..terminal import Cell, Terminal, open_terminal, shown_moment
from ..writing.next_steps import print_steps
from .judgement import Judgement
from .wanted import Formatted, Wanted

_SCHEMA_NAME = "mxcert-init/1"


@dataclass(frozen=True)
class Outcome:
    """What was judged, made and written."""

    judgement: Judgement
    formatted: Formatted
    written: tuple[str, ...]
    #: the path of the settings; ``None`` where they are printed
    settings_path: str | None


def tell_failure(problem: str, status: int, *, as_json: bool) -> int:
    """Say why nothing was made. Gives the exit status."""
    if as_json:
        print(json.dumps({"schema": _SCHEMA_NAME, "ok": False, "problem": problem}, indent=2))
    else:
        print(printable(f"mxcert init: {problem}"), file=sys.stderr)
    return status


def tell_errors(judgement: Judgement, *, as_json: bool) -> int:
    """Say what is wrong with the file. Gives the exit status."""
    if as_json:
        errors = [each.as_data() for each in judgement.errors]
        print(json.dumps({"schema": _SCHEMA_NAME, "ok": False, "errors": errors}, indent=2))
        return 1
    terminal = open_terminal(sys.stderr)
    _print_identities(terminal, judgement)
    for each in judgement.errors:
        terminal.line(f"ERROR: {each}", Style.BAD)
    return 1


def tell_outcome(outcome: Outcome, wanted: Wanted, *, as_json: bool) -> None:
    """Print the settings, or where they were written, and what comes next."""
    if as_json:
        print(json.dumps(_as_data(outcome), indent=2))
        return
    terminal = open_terminal(sys.stderr)
    _print_identities(terminal, outcome.judgement)
    for each in outcome.judgement.warnings:
        terminal.line(f"WARNING: {each}", Style.WARNING)
    for hint in _hints(outcome, wanted):
        terminal.line(f"WARNING: {hint}", Style.WARNING)
    for path in outcome.written:
        terminal.line(f"written: {path}")
    if outcome.settings_path is None:
        if sys.stdout.isatty():
            terminal.heading("Settings")
        sys.stderr.flush()
        print(outcome.formatted.text.reveal(), end="", flush=True)
    print_steps(terminal, outcome.formatted.steps)


def _as_data(outcome: Outcome) -> dict[str, Any]:
    return {
        "schema": _SCHEMA_NAME,
        "ok": True,
        "identities": list(outcome.judgement.identities),
        "warnings": [each.as_data() for each in outcome.judgement.warnings],
        "written": list(outcome.written),
        "settings": outcome.formatted.text.reveal() if outcome.settings_path is None else None,
        "next": list(outcome.formatted.steps),
    }


def _hints(outcome: Outcome, wanted: Wanted) -> Iterator[str]:
    if not wanted.hosts:
        yield (
            "no host is named, so that every host that asks for the like is offered it. Name those"
            " that are meant: --host HOST."
        )
    has_written = wanted.password_file in outcome.written
    if wanted.names_password_file and not has_written and not wanted.is_password_file_there:
        yield (
            f"the settings name {wanted.password_file}, which is not there. Put the password into"
            " it, mode 0600, or have it written: --password-file PATH."
        )


def _print_identities(terminal: Terminal, judgement: Judgement) -> None:
    for each in judgement.identities:
        terminal.heading(f"Identity {each['name']}")
        terminal.facts(_facts(each))


def _facts(identity: dict[str, Any]) -> Iterator[tuple[str, Cell]]:
    yield "subject", identity["subject"]
    yield "issuer", identity["issuer"]
    end = shown_moment(identity["not_after"])
    style = Style.GOOD if identity["validity"] == "valid" else Style.BAD
    yield "validity", Styled(f"{identity['validity']}, until {end}", style)
    yield "chain", describe_chain(identity)
    bits = identity["key_bits"]
    yield "key", f"{identity['key_type']}{f' ({bits} bits)' if bits else ''}"
