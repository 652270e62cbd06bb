"""urllib3: its errors lead to the error of TLS that they are made from, where that has a note.

A pool wraps what fails into an error of its own that it never raises, so that nothing chains the
two, and a printed traceback shows ``MaxRetryError`` with half of its cause.
"""

from __future__ import annotations

from typing import Any

from ..diagnosis import show_cause
from .known_versions import KNOWN
from .patching import Library, Patch, attribute_of, wrapping


def _increment(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    error = kwargs.get("error")
    for inner in getattr(error, "args", ()):
        if isinstance(inner, OSError):
            # urllib3 1.26 raises what reads fail with "from None".
            show_cause(inner, inner.__context__)
            show_cause(error, inner)
    return wrapped(*args, **kwargs)


def _patches() -> tuple[Patch, ...]:
    owner = attribute_of("urllib3.util.retry", "Retry")
    return (Patch(owner, "increment", wrapping(_increment)),)


LIBRARY = Library(
    module="urllib3.util.retry",
    patches=_patches,
    version_module="urllib3",
    versions=KNOWN["urllib3"].versions,
)
