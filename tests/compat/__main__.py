"""``python -m tests.compat``: measures every client and prints the table.

Exit status 0: all is right, or known and said; 1: something is wrong in silence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from . import environments
from .measuring import measure
from .rows import ROWS
from .scene import refuse_without_names
from .table import as_text, write_document
from .values import NOT_THERE, Cell, Column, Measured, Row, Verdict


def main(arguments: Sequence[str]) -> int:
    """Measure and print; the exit status."""
    options = _parse(arguments)
    refuse_without_names()
    rows = _chosen(options.only)
    for name in sorted({row.environment for row in rows}):
        environments.prepare(name)
    with ThreadPoolExecutor(options.jobs) as pool:
        measured = list(pool.map(_measured_and_told, rows))
    print(as_text(measured))
    if options.write:
        write_document(measured)
    problems = [problem for each in measured for problem in each.problems]
    for problem in problems:
        print(f"WRONG: {problem}")
    wrong = sum(bool(each.problems) for each in measured)
    print(f"{len(measured) - wrong} passed, {wrong} failed")
    return 1 if problems else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compat", description=__doc__)
    chosen = "clients by name, or all of an environment, such as `core`"
    parser.add_argument("--only", nargs="+", metavar="CLIENT", help=chosen)
    parser.add_argument("--jobs", type=int, default=2, help="clients side by side (default 2)")
    parser.add_argument("--write", action="store_true", help="write docs/compatibility.md")
    return parser.parse_args(arguments)


def _chosen(names: Sequence[str] | None) -> list[Row]:
    if names is None:
        return list(ROWS)
    chosen = [row for row in ROWS if row.name in names or row.environment in names]
    unknown = set(names) - {row.name for row in chosen} - {row.environment for row in chosen}
    if unknown:
        raise SystemExit(f"no such client: {', '.join(sorted(unknown))}")
    return chosen


def _measured_and_told(row: Row) -> Measured:
    try:
        measured = measure(row)
    except Exception as error:
        cell = Cell(Verdict.WRONG, f"cannot be measured: {error}")
        measured = Measured(row, environments.version_of(row), {Column.PINNED: cell}, NOT_THERE)
    print(f"{row.name}: {'; '.join(measured.problems) or 'right'}", file=sys.stderr, flush=True)
    return measured


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
