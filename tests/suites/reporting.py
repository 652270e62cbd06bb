"""What came of the comparisons: for a terminal, as data, and as docs/suites.md."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Iterator, Sequence

from tests.support.subprocesses import ROOT

from .comparing import Compared
from .rows import SUITES
from .values import Suite

DOCUMENT = ROOT / "docs" / "suites.md"
_PASSED = ("ok", "xfail")


def in_words(compared: Compared) -> Iterator[str]:
    """All that is not alike, what is wrong in capitals."""
    name = compared.suite.name
    for difference, entry in compared.explained:
        yield f"{name}: expected: {difference.test}, mode {difference.mode}: {entry.reason}"
    for each in compared.unsteady:
        yield f"{name}: ends now so, now otherwise: {each}"
    for each in compared.unexplained:
        yield f"{name}: DIFFERENT: {each}"
    for entry in compared.outdated:
        yield f"{name}: OUT OF DATE: {entry.test} ends as without the plugin; drop its entry"
    if compared.void:
        yield f"{name}: VOID: the plugin had no connection to decide on"
    yield f"{name}: {'right' if compared.right else 'WRONG'}"


def as_data(compared: Compared) -> dict[str, object]:
    """Every outcome of every run, as JSON's types."""
    return {
        "suite": compared.suite.name,
        "version": compared.suite.version,
        "runs": {
            each.mode.name: {
                "seconds": round(each.seconds, 1),
                "connections": each.connections,
                "outcomes": {test: vars(outcome) for test, outcome in each.outcomes.items()},
            }
            for each in compared.runs
        },
    }


def write_document(compared: Sequence[Compared]) -> None:
    """Write the document anew: rows of what was run, and the rows of all else as they stand."""
    before = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    DOCUMENT.write_text(as_document(compared, before), encoding="utf-8")


def as_document(compared: Sequence[Compared], before: str = "") -> str:
    """Markdown: a row for each suite, then every difference and all that was not run."""
    parts = [*_INTRODUCTION, *_table(compared, before), *_differences(), *_failing(), *_left_out()]
    return "\n".join(parts) + "\n"


_INTRODUCTION = (
    "# Other libraries' own tests",
    "",
    "<!-- Written by `python -m tests.suites --write`; edit tests/suites instead. -->",
    "",
    "The tests in the source distributions of libraries, unchanged, run three times: without the"
    " plugin; with `MXCERT_AUTOSTART=1` and one identity for every host; with several identities,"
    " rules for the hosts of the suites and extra CAs. Every test must end the same. What differs"
    " is run again by itself, three times each way, and then behind all others, before it counts.",
    "",
    "- **failed without**: tests that fail without the plugin already, and fail alike with it.",
    "- **connections**: how many TLS connections the plugin counted, in both runs with it.",
    "- **differences**: each has a reason below.",
    "- **unsteady**: ended otherwise in one run, and alike when run again.",
    "",
)
_HEAD = (
    *("suite", "version", "passed", "skipped", "failed without", "connections", "differences"),
    *("unsteady", "run on"),
)


def _table(compared: Sequence[Compared], before: str) -> list[str]:
    rows = {_key(suite): _line(_not_run(suite)) for suite in SUITES}
    stand = (line for line in before.splitlines() if line.startswith("| "))
    rows.update((key, line) for line in stand if (key := line.split(" | ")[0]) in rows)
    rows.update((_key(each.suite), _row(each)) for each in compared)
    return [_line(_HEAD), _line(["---"] * len(_HEAD)), *rows.values()]


def _key(suite: Suite) -> str:
    return f"| {suite.distribution}"


def _not_run(suite: Suite) -> list[str]:
    figures = ["-"] * (len(_HEAD) - 3)
    return [suite.distribution, suite.version, *figures, "not yet"]


def _row(compared: Compared) -> str:
    bare, *others = compared.runs
    passed, skipped = bare.count(*_PASSED), bare.count("skip")
    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return _line(
        (
            compared.suite.distribution,
            compared.suite.version,
            f"{passed:,}",
            f"{skipped:,}",
            f"{len(bare.outcomes) - passed - skipped:,}",
            " and ".join(f"{each.connections:,}" for each in others),
            str(len({each.test for each, _ in compared.explained})),
            str(len({each.test for each in compared.unsteady})),
            f"{day}, CPython {platform.python_version()}",
        )
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _differences() -> list[str]:
    told = [
        f"- {suite.distribution}, `{entry.test}`: {entry.reason}"
        for suite in SUITES
        for entry in suite.expected
    ]
    return ["", "## Differences", "", *(told or ["None."])]


def _failing() -> list[str]:
    told = [f"- {suite.distribution}: {suite.failing}" for suite in SUITES if suite.failing]
    return ["", "## Failed without", "", *told]


def _left_out() -> list[str]:
    told = [
        f"- {suite.distribution}, `{test}`: {reason}"
        for suite in SUITES
        for test, reason in suite.left_out
    ]
    return ["", "## Not run", "", *(told or ["All were run."])]
