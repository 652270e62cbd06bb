"""Fixtures of the tests of hooks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hooks.samples import make_sample


@pytest.fixture
def sample() -> type[Any]:
    """A new class, for the test to spoil."""
    return make_sample()
