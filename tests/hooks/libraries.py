"""Small libraries that nobody has imported yet, and that are marked once they are."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime.hooks.patching import Library, Patch, attribute_of, wrapping
from tests.hooks.samples import mark

_numbers = itertools.count()


class Libraries:
    """Writes small libraries that nobody has imported yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: list[str] = []

    def write(self, text: str = "", version: str = "1.0") -> str:
        """The name of a new module with a class ``Thing``, a function ``work`` and this text."""
        name = f"mxcert_test_library_{next(_numbers)}"
        lines = [f"__version__ = {version!r}", "class Thing:", "    def act(self):"]
        lines += ["        return 'act'", "def work():", "    return 'work'", text]
        (self._folder / f"{name}.py").write_text("\n".join(lines), encoding="utf-8")
        importlib.invalidate_caches()
        self.names.append(name)
        return name


def library_of(name: str, *targets: str, **more: Any) -> Library:
    """A library whose targets, ``Thing.act`` or ``work``, are marked."""

    def patches() -> tuple[Patch, ...]:
        return tuple(_patch_at(name, target) for target in targets)

    return Library(name, patches, **more)


def _patch_at(module: str, target: str) -> Patch:
    owner, _, attribute = target.rpartition(".")
    return Patch(attribute_of(module, owner), attribute, wrapping(mark))


def records(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.name, record.levelname) for record in caplog.records]
