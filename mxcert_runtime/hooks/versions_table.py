"""The table of versions in docs/hooks.md, made from what the hooks go by.

``python -m mxcert_runtime.hooks.versions_table docs/hooks.md`` writes it between its marks.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..base import with_part
from .known_versions import ROWS

BEGIN, END = "<!-- versions: generated, begin -->\n", "<!-- versions: generated, end -->\n"


def versions_table() -> str:
    """The table, as Markdown."""
    rows = [("Library", "Hooked from", "below", "Tested"), ("---",) * 4]
    rows += [(", ".join(each.distributions), each.low, each.below, each.tested) for each in ROWS]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def with_table(document: str) -> str:
    """A document with the table of today between the marks."""
    return with_part(document, BEGIN, versions_table(), END)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
