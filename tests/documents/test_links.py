"""Every relative link of README.md and the documents leads to a file, and to a heading in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pages import DOCS, PAGES, ROOT, anchors, relative_links


def _is_alive(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    """A page that moved, or a heading that was renamed, leaves a link that leads nowhere."""
    assert [] == [link for link in relative_links(page) if not _is_alive(page, link)]


def test_links_that_lead_nowhere() -> None:
    """The twin: a page and a heading that are not there are seen."""
    page = DOCS / "start.md"
    links = ["settings.md", "settings.md#trust", "setting.md", "settings.md#truth", "#4-import"]
    assert ["setting.md", "settings.md#truth"] == [
        link for link in links if not _is_alive(page, link)
    ]


def test_every_page_is_linked_to() -> None:
    """A page that README.md does not name is one that nobody finds."""
    named = relative_links(ROOT / "README.md")
    pages = {f"docs/{page.name}" for page in DOCS.glob("*.md")} - {"docs/index.md"}
    assert set() == pages - set(named)
