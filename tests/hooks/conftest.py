"""Fixtures of the tests of hooks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.libraries import Libraries
from tests.hooks.samples import make_sample


@pytest.fixture
def sample() -> type[Any]:
    """A new class, for the test to spoil."""
    return make_sample()


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Libraries]:
    """Libraries on the path, forgotten at the end."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Libraries(tmp_path)
    yield made
    for name in made.names:
        sys.modules.pop(name, None)
