"""Fixtures of the tests of pools."""

from __future__ import annotations

from tests.support.scene import scene_of_one_version

scene = scene_of_one_version
