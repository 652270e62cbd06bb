"""Generations of identities without rules, for the checks of what they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mxcert_runtime.decisions.building import build_generation
from mxcert_runtime.decisions.generation import Generation
from mxcert_runtime.settings.loading import settings_from
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf

Build = Callable[..., Generation]


@pytest.fixture(scope="module")
def intermediate(client_authority: Authority) -> Authority:
    """What a sound leaf is issued by."""
    return client_authority.intermediate("Intermediate")


@pytest.fixture
def build(client_files: ClientFiles) -> Build:
    """Builds a generation of these leaves, without rules and named one, two, three."""

    def build(*leaves: Leaf, **settings: Any) -> Generation:
        names = ("one", "two", "three")
        identities = [client_files.identity(*pair) for pair in zip(names, leaves)]
        return build_generation(settings_from({"identity": identities, **settings}))

    return build
