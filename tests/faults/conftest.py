"""Fixtures of the tests of others' faults."""

from __future__ import annotations

from tests.support.scene import scene_of_each_version

scene = scene_of_each_version
