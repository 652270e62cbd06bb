"""Pools of urllib3 whose services are activated, and what becomes of their connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests.pools.siblings.pools import Connection, Make, Pool
from tests.support.listener import TIMEOUT
from tests.support.scene import ALPHA_HOST, Scene


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """References to the connections of this test."""
    fresh: list[Any] = []
    monkeypatch.setattr(Connection, "made", fresh)
    return fresh


@pytest.fixture
def make(scene: Scene) -> Make:
    """Makes pools for the server, with the services activated."""
    scene.activate_services()

    def make_pool(**more: Any) -> Any:
        options = {"ca_certs": scene.ca_file, "timeout": TIMEOUT, "retries": False, **more}
        return Pool(ALPHA_HOST, scene.server.port, **options)

    return make_pool


@pytest.fixture
def manager(scene: Scene) -> Iterator[urllib3.PoolManager]:
    """A manager of such pools, with the services activated."""
    scene.activate_services()
    with urllib3.PoolManager(ca_certs=scene.ca_file, timeout=TIMEOUT) as manager:
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": Pool}
        yield manager
