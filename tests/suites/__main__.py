"""``python -m tests.suites [SUITE ...]``: compare suites of others without and with the plugin.

Exit status 0: every test ended as expected; 1: some did not, each printed with both outcomes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.plugin_modes import BARE, PLUGIN_MODES, Mode, plugin_modes

from .authority import authority_of
from .comparing import Compared, compare
from .preparing import prepare
from .reporting import as_data, in_words, write_document
from .rows import SUITES
from .values import Suite


def main(arguments: Sequence[str]) -> int:
    """Run and compare; the exit status."""
    options = _parse(arguments)
    chosen = _chosen(options.suites)
    for suite in chosen:
        prepare(suite)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        modes = [_modes(suite, Path(folder, suite.name), options.modes) for suite in chosen]
        compared = []
        for each in pool.map(compare, chosen, modes):
            compared.append(each)
            if options.write and each.right:
                write_document(compared)
    if options.json:
        options.json.write_text(json.dumps([as_data(each) for each in compared], indent=1))
    return _report(compared)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="by name (default: all)")
    parser.add_argument(
        "--modes", nargs="+", choices=PLUGIN_MODES, default=PLUGIN_MODES, help="with the plugin"
    )
    parser.add_argument("--jobs", type=int, default=2, help="suites side by side (default 2)")
    parser.add_argument("--json", type=Path, help="write all outcomes to this file")
    parser.add_argument(
        "--write", action="store_true", help="write what is right to docs/suites.md"
    )
    return parser.parse_args(arguments)


def _chosen(names: Sequence[str]) -> list[Suite]:
    unknown = set(names) - {suite.name for suite in SUITES}
    if unknown:
        raise SystemExit(f"no such suite: {', '.join(sorted(unknown))}")
    return [suite for suite in SUITES if suite.name in names or not names]


def _modes(suite: Suite, folder: Path, names: Sequence[str]) -> list[Mode]:
    """Without the plugin, and those of the names; their identities are written to ``folder``."""
    folder.mkdir()
    modes = plugin_modes(folder, authority_of(suite))
    return [BARE, *(mode for mode in modes if mode.name in names)]


def _report(compared: Sequence[Compared]) -> int:
    for each in compared:
        print("\n".join(in_words(each)))
    wrong = sum(not each.right for each in compared)
    print(f"{len(compared) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
