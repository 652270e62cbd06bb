"""The package's modules as they are written: where, what, and what each imports."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mxcert_runtime

PACKAGE = "mxcert_runtime"
ROOT = Path(mxcert_runtime.__file__).parent


@functools.cache
def sources() -> dict[str, Path]:
    """Every module, by its dotted name within the package; a package's name is its own."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        found[".".join(parts)] = path
    return found


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes(module: str) -> Iterator[ast.AST]:
    return ast.walk(tree_of(sources()[module]))


def named_modules(module: str) -> Iterator[str]:
    """Absolute dotted names of all that a module imports, wherever in it the import stands."""
    base = [PACKAGE, *module.split(".")]
    if sources()[module].name == "__init__.py" and module != "__init__":
        base.append("__init__")
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = base[: -node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def imports(module: str) -> set[str]:
    """The modules of the package that a module imports."""
    found = set()
    for name in named_modules(module):
        inside = name[len(PACKAGE) + 1 :] if name.startswith(f"{PACKAGE}.") else None
        # The last part of `from .errors import Fault` is no module.
        while inside and inside not in sources():
            inside = inside.rpartition(".")[0]
        if inside:
            found.add(inside)
    return found


def modules() -> list[str]:
    return sorted(sources())


def offenders(search: Callable[[str], list[Any]]) -> dict[str, list[Any]]:
    """The modules of which a search finds something, with what it finds."""
    return {module: found for module in modules() if (found := search(module))}


def lines(module: str) -> list[str]:
    return sources()[module].read_text(encoding="utf-8").splitlines()
