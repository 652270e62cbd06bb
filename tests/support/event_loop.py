"""An event loop for clients that are called as if they were not asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def event_loop(close: Callable[[], Awaitable[None]]) -> Iterator[Callable[[Any], Any]]:
    """Runs coroutines on a loop of its own, and ``close`` at the end."""
    loop = asyncio.new_event_loop()
    try:
        yield loop.run_until_complete
    finally:
        loop.run_until_complete(close())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
