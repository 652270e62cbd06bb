"""What ``mxcert import`` prints: the settings on stdout, the report of them on stderr."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from ...base import Secret
from ...base.printable import printable
from ...diagnosis import Diagnostic
from ...errors import SettingsError
from ..invalid_settings import report_invalid_settings
from ..layout import Style
from ..terminal import Terminal, open_terminal
from ..writing.next_steps import print_steps, probe_command
from .carrying import Carried, shown_origin
from .reading import Imported

_SCHEMA_NAME = "mxcert-import/1"
_NAMED = 12


def tell_faults(imported: Imported, *, as_json: bool) -> int:
    """Say what is wrong with the old settings. Gives the exit status."""
    faults = imported.reading.faults
    if as_json:
        error = SettingsError(faults)
        return report_invalid_settings("import", _SCHEMA_NAME, error, as_json=as_json)
    terminal = open_terminal(sys.stderr)
    counted = f"{len(faults)} error{'' if len(faults) == 1 else 's'}"
    terminal.line(f"mxcert import: {counted} in these settings; nothing was written:")
    for fault in faults:
        terminal.line(f"  - {shown_origin(str(fault))}", Style.BAD)
    return 1


def tell_failure(problem: str, *, as_json: bool) -> int:
    """Say why nothing was made. Gives the exit status."""
    if as_json:
        print(json.dumps({"schema": _SCHEMA_NAME, "ok": False, "problem": problem}, indent=2))
    else:
        print(printable(f"mxcert import: {problem}"), file=sys.stderr)
    return 1


def tell_carried(
    imported: Imported,
    carried: Carried,
    printed: Secret[str] | None,
    written: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Print the settings, or where they were written, and what became of each setting."""
    if as_json:
        print(json.dumps(_as_data(imported, carried, printed, written), indent=2))
        return
    terminal = open_terminal(sys.stderr)
    terminal.heading(f"Taken over, from {imported.form}")
    terminal.table(("setting", "now"), [(shown_origin(name), now) for name, now in carried.taken])
    if carried.to_fill_in:
        terminal.heading("To fill in")
        for each in carried.to_fill_in:
            terminal.line(f"- {each}", Style.WARNING)
    _tell_left(terminal, imported)
    for path in written:
        terminal.line(f"written: {path}")
    if printed is not None:
        if sys.stdout.isatty():
            terminal.heading("Settings")
        sys.stderr.flush()
        print(printed.reveal(), end="", flush=True)
    # The whole path: the program may start in another folder.
    path = next((os.path.abspath(each) for each in written if each.endswith(".toml")), "PATH")
    named = f"export MXCERT_CONFIG={shlex.quote(path)}"
    hosts = (host for each in carried.file.identities for host in each.hosts)
    print_steps(terminal, (named, "mxcert check", probe_command(hosts)))


def _tell_left(terminal: Terminal, imported: Imported) -> None:
    if not imported.others and not imported.reading.warnings:
        return
    terminal.heading("Not taken over")
    for warning in imported.reading.warnings:
        terminal.line(f"- {warning}")
    if imported.others:
        named = ", ".join(imported.others[:_NAMED])
        more = len(imported.others) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        terminal.line(f"- no settings of client certificates: {named}{rest}")


def _as_data(
    imported: Imported, carried: Carried, printed: Secret[str] | None, written: Sequence[str]
) -> dict[str, Any]:
    warnings = [Diagnostic.of_warning(each).as_data() for each in imported.reading.warnings]
    return {
        "schema": _SCHEMA_NAME,
        "ok": True,
        "taken_over": [{"setting": name, "now": now} for name, now in carried.taken],
        "to_fill_in": carried.to_fill_in,
        "not_taken_over": list(imported.others),
        "warnings": warnings,
        "written": list(written),
        "settings": None if printed is None else printed.reveal(),
    }
