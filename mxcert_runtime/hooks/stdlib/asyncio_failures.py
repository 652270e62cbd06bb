"""asyncio: explains connections whose writes fail while the server's alert lies unread.

How is said in `asyncio_losses.py`, which is loaded with the first of them.
"""

from __future__ import annotations

import functools
from typing import Any

from ..patching import Library, Patch, Switch, attribute_of, unbound
from .failures import harmless, load_before_fork


def _build_connection_lost(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def connection_lost(self: Any, exc: Any) -> Any:
        if switch.on and isinstance(exc, OSError):
            with harmless:
                from .asyncio_losses import explain_loss

                explain_loss(self, exc)
        return original(self, exc)

    return connection_lost


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("asyncio.sslproto", "SSLProtocol")
    return (Patch(owner, "connection_lost", _build_connection_lost),)


LIBRARY = Library("asyncio.sslproto", _patches)


def _load_losses() -> None:
    from . import asyncio_losses  # noqa: F401


load_before_fork(_load_losses)
