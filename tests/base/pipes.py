"""Pipes by name, where whoever reads may come only once there is somebody who writes."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.listener import TIMEOUT


@contextmanager
def written_into(pipe: Path) -> Iterator[None]:
    """The body runs once somebody has begun to write, whom an end that is held here has let in."""
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        ready, _, _ = select.select([held], [], [], TIMEOUT)
        assert [held] == ready, "nobody writes"
        yield
    finally:
        os.close(held)
