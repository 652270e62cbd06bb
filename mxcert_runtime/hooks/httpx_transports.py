"""httpx: its errors say why in their last line; all else of its connections is httpcore's."""

from __future__ import annotations

import sys
from typing import Any

from ..diagnosis import sum_up
from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping


def _handle(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    handled = sys.exc_info()[1]
    try:
        return wrapped(*args, **kwargs)
    except Exception as error:
        sum_up(error, handled)
        raise


async def _handle_async(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    handled = sys.exc_info()[1]
    try:
        return await wrapped(*args, **kwargs)
    except Exception as error:
        sum_up(error, handled)
        raise


def _patches() -> tuple[Patch, ...]:
    module = "httpx._transports.default"
    return (
        Patch(attribute_of(module, "HTTPTransport"), "handle_request", wrapping(_handle)),
        Patch(
            attribute_of(module, "AsyncHTTPTransport"),
            "handle_async_request",
            wrapping(_handle_async),
        ),
    )


LIBRARY = Library(
    module="httpx._transports.default",
    patches=_patches,
    version_module="httpx",
    versions=KNOWN["httpx"].versions,
)
