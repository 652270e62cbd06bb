"""Each test of this folder runs with each engine and each version of TLS."""

from __future__ import annotations

import pytest

from tests.engines.drivers import DRIVERS, Driver
from tests.support.scene import scene_of_each_version


@pytest.fixture(params=DRIVERS, ids=str)
def engine(request: pytest.FixtureRequest) -> Driver:
    """A client of each engine."""
    driver = request.param
    assert isinstance(driver, Driver)
    if driver.name == "pyopenssl":
        pytest.importorskip("OpenSSL")
    return driver


scene = scene_of_each_version
