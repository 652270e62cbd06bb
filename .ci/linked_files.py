"""Files of the repository outside docs/ that its pages link to, as part of the site.

On the pages, as in the repository, links are relative to the file. Of a link to what is no part of
the site, the text stays.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LINKED = (
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "benchmarks/results/ratios.svg",
    "benchmarks/results/table.md",
    "mxcert_runtime/autostart.pth",
    "mxcert_runtime/settings/mxcert.schema.json",
)
#: where they are in the site; not beside docs/security.md, which some disks take for SECURITY.md
FOLDER = "repository/"
#: code, where nothing is a link, or a link
_CODE_OR_LINK = re.compile(
    r"(?P<code>^ *```.*?^ *```|`[^`\n]+`)|(?P<mark>!?)\[(?P<text>[^][]*)\]\((?P<link>[^()\s]+)\)",
    re.MULTILINE | re.DOTALL,
)


def on_files(files: Any, config: Any) -> Any:
    """MkDocs asks for the files of the site."""
    from mkdocs.structure.files import File

    for name in LINKED:
        files.append(File.generated(config, FOLDER + name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """MkDocs asks for the text of a page."""
    return for_site(markdown, page.file.src_uri)


def for_site(markdown: str, name: str) -> str:
    """The text of the page with this name in the site, with links that lead where they do in it."""

    def replaced(found: re.Match[str]) -> str:
        link = found["link"]
        if found["code"] or ":" in link or link.startswith("#"):
            return found[0]
        target = _in_site(name, link)
        return found["text"] if target is None else f"{found['mark']}[{found['text']}]({target})"

    return _CODE_OR_LINK.sub(replaced, markdown)


def _in_site(name: str, link: str) -> str | None:
    """A link of the page, as it is in the site; ``None`` for what is no part of that."""
    path, mark, anchor = link.partition("#")
    place = _place(posixpath.normpath(posixpath.join(posixpath.dirname(_file(name)), path)))
    if place is None:
        return None
    return posixpath.relpath(place, posixpath.dirname(name) or ".") + mark + anchor


def _file(place: str) -> str:
    """The file of the repository that is at this place of the site."""
    return place[len(FOLDER) :] if place.startswith(FOLDER) else f"docs/{place}"


def _place(file: str) -> str | None:
    if file.startswith("docs/"):
        return file[len("docs/") :]
    if file == "README.md":
        return "index.md"
    return FOLDER + file if file in LINKED else None
