"""The documents and what stands in them: snippets by language, links, headings."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: whatever a reader may start at
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md"), ROOT / "benchmarks/README.md"])

_SNIPPET = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """A block of code of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def snippets(page: Path, *languages: str) -> list[Snippet]:
    """Those of these languages, in the order of the page."""
    text = page.read_text(encoding="utf-8")
    return [
        Snippet(page, text.count("\n", 0, each.start()) + 2, each[2], textwrap.dedent(each[3]))
        for each in _SNIPPET.finditer(text)
        if each[2] in languages
    ]


def relative_links(page: Path) -> list[str]:
    """The links that lead to a file of the repository, or to a heading of the page."""
    prose = _CODE.sub("", page.read_text(encoding="utf-8"))
    return [each for each in _LINK.findall(prose) if not re.match(r"\w+:", each)]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as they are linked to."""
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {_anchor(each) for each in _HEADING.findall(prose)}


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\s-]", "", heading.strip().lower())
    return re.sub(r"\s", "-", kept)
