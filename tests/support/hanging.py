"""A test that hangs ends its process, with the stacks of all threads, instead of the whole run.

With several processes pytest-xdist names the test as the one that failed, and goes on in another.
"""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Generator

import pytest

#: Many times what the longest test takes on a busy machine; each wait within one gives up before.
SECONDS = 600.0
_STDERR = pytest.StashKey[int]()


def keep_standard_error(config: pytest.Config) -> None:
    """The one that is not captured yet: what is captured is lost with the process."""
    config.stash[_STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Give each test its time, fixtures included."""
    faulthandler.dump_traceback_later(SECONDS, exit=True, file=item.config.stash[_STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
