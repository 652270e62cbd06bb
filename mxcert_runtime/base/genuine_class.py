"""Which class the contexts of ``ssl`` are of, whoever has put another into its place."""

from __future__ import annotations

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def find_genuine_class(ssl: ModuleType) -> Any:
    """CPython's own ``SSLContext``, under those of gevent or truststore.

    It imports nothing: a child of a fork may need it while a thread that it lacks was importing.
    Raises ``ImportError`` on what is no CPython.
    """
    for candidate in ssl.SSLContext.__mro__:
        if candidate.__module__ == "ssl" and "_ssl" in {b.__module__ for b in candidate.__bases__}:
            return candidate
    raise ImportError("`ssl.SSLContext` is not CPython's own; mxcert_runtime needs CPython")
