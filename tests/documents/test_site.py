"""The site has every page, and its links lead where they do in the repository."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .pages import DOCS, ROOT

BUILDER = ROOT / ".venvs/docs/bin/python"


def _hook() -> Any:
    specification = importlib.util.spec_from_file_location("linked", ROOT / ".ci/linked_files.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


HOOK = _hook()


@pytest.mark.parametrize(
    ("page", "written", "expected"),
    [
        ("start.md", "[a](settings.md#trust)", "[a](settings.md#trust)"),
        ("security.md", "[a](../SECURITY.md)", "[a](repository/SECURITY.md)"),
        ("speed.md", "![a](../benchmarks/x.svg)", "a"),
        ("repository/SECURITY.md", "[a](docs/engines.md)", "[a](../engines.md)"),
        ("repository/CONTRIBUTING.md", "[a](README.md)", "[a](../index.md)"),
        ("repository/benchmarks/README.md", "[a](results/table.md)", "[a](results/table.md)"),
        ("start.md", "`[a](../SECURITY.md)`", "`[a](../SECURITY.md)`"),
        ("start.md", "[a](https://a.test/b)", "[a](https://a.test/b)"),
    ],
)
def test_links(page: str, written: str, expected: str) -> None:
    """What is no part of the site stays as its text; code is left alone."""
    assert expected == HOOK.for_site(written, page)


def test_linked_files_are_there() -> None:
    """MkDocs would fail on one that has moved."""
    assert [] == [name for name in HOOK.LINKED if not (ROOT / name).exists()]


#: what Python-Markdown takes otherwise than GitHub: code in a list that is not set in by four
_CODE = re.compile(r"^( *)```", re.MULTILINE)


def test_code_in_lists() -> None:
    """Set in by four: with two, the site shows the rest of the list as one paragraph."""
    pages = {page.name: page.read_text(encoding="utf-8") for page in DOCS.glob("*.md")}
    found = {name: {len(each) for each in _CODE.findall(text)} for name, text in pages.items()}
    assert {} == {name: indents for name, indents in found.items() if indents - {0, 4}}


_SWALLOWED = re.compile(r"^    \S.*\n- ", re.MULTILINE)


def test_lists_go_on_behind_a_paragraph() -> None:
    """Behind an empty line: without it, the site shows the rest of the list in that paragraph."""
    pages = {page.name: page.read_text(encoding="utf-8") for page in DOCS.glob("*.md")}
    prose = {
        name: re.sub(r"^```.*?^```", "", text, flags=re.M | re.S) for name, text in pages.items()
    }
    assert [] == [name for name, text in prose.items() if _SWALLOWED.search(text)]
    assert _SWALLOWED.search("- a:\n\n    b\n- c\n")


def _pages(navigation: list[dict[str, Any]]) -> list[str]:
    values = [value for entry in navigation for value in entry.values()]
    return [page for each in values for page in ([each] if isinstance(each, str) else _pages(each))]


def test_navigation_has_every_page() -> None:
    """Each once."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    linked = [f"{HOOK.FOLDER}{name}" for name in HOOK.LINKED if name.endswith(".md")]
    expected = [page.name for page in DOCS.glob("*.md")] + linked
    assert sorted(expected) == sorted(_pages(navigation))


@pytest.mark.skipif(not BUILDER.exists(), reason="`nox -s docs` has not made its environment")
def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    """The twin of `nox -s docs`, which builds without a warning."""
    names = ("docs", ".ci", "benchmarks", "mxcert_runtime")
    for name in names:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.py[co]"))
    for path in [*ROOT.glob("*.md"), ROOT / "mkdocs.yml"]:
        shutil.copy(path, tmp_path)
    with (tmp_path / "docs/start.md").open("a", encoding="utf-8") as page:
        page.write("\n[nowhere](nowhere.md)\n")
    done = subprocess.run(
        [str(BUILDER), "-m", "mkdocs", "build", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 1 == done.returncode
    assert "nowhere.md" in done.stderr
