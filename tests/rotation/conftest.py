"""Fixtures of the tests of rotation."""

from __future__ import annotations

import pytest

from tests.rotation.renewal import Renewal
from tests.support.pki import Authority
from tests.support.scene import Scene, scene_of_one_version

scene = scene_of_one_version


@pytest.fixture
def renewal(scene: Scene, client_authority: Authority) -> Renewal:
    """Two identities in force, of which files can be replaced."""
    return Renewal(scene, client_authority)
