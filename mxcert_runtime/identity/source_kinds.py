"""Which kinds of sources there are: those of this package, and what is installed beside it."""

from __future__ import annotations

import importlib
from typing import Any

from .source import OpenSource

GROUP = "mxcert_runtime.sources"
_BUILT_IN = {
    "command": "mxcert_runtime.identity.command:open_source",
    "spiffe": "mxcert_runtime.identity.spiffe.source:open_source",
}


def known_kinds() -> tuple[str, ...]:
    """The names of all kinds, those of this package first."""
    installed = sorted(each.name for each in _installed())
    return tuple(dict.fromkeys((*_BUILT_IN, *installed)))


def find_kind(name: str) -> OpenSource | None:
    """What opens a source of a kind, loaded now; ``None`` where there is no such kind.

    Nobody's kind takes the place of one of this package. Raises ImportError, or what the code of a
    kind raises, where it cannot be loaded.
    """
    if name in _BUILT_IN:
        module, _, function = _BUILT_IN[name].partition(":")
        built_in: OpenSource = getattr(importlib.import_module(module), function)
        return built_in
    entry = next((each for each in _installed() if each.name == name), None)
    found: OpenSource | None = None if entry is None else entry.load()
    return found


def _installed() -> list[Any]:
    # Late: it takes longer than all the rest of the settings.
    from importlib.metadata import entry_points

    entries: Any = entry_points()
    # Python 3.9 gives a mapping of groups.
    is_mapping = not hasattr(entries, "select")
    return list(entries.get(GROUP, ()) if is_mapping else entries.select(group=GROUP))
