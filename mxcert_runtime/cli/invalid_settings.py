"""What a subcommand prints where the settings cannot be used, so that it has nothing to show."""

from __future__ import annotations

import json
import sys

from ..base.printable import printable
from ..diagnosis import Diagnostic
from ..errors import SettingsError


def report_invalid_settings(
    subcommand: str, schema: str, error: SettingsError, *, as_json: bool
) -> int:
    """Print every fault, as JSON of the subcommand's schema or on stderr; gives the exit status."""
    if as_json:
        errors = [Diagnostic.of_fault(each).as_data() for each in error.faults]
        print(json.dumps({"schema": schema, "ok": False, "errors": errors}, indent=2))
    else:
        for line in f"mxcert {subcommand}: {error}".split("\n"):
            print(printable(line), file=sys.stderr)
    return 1
