"""The SSL classes of the standard library, and its `poll`, as they are under what is patched."""

from __future__ import annotations

import select
import ssl
from typing import Any


def _find_genuine_class() -> type[ssl.SSLContext]:
    for candidate in ssl.SSLContext.__mro__:
        if candidate.__module__ == "ssl" and "_ssl" in {b.__module__ for b in candidate.__bases__}:
            return candidate
    raise ImportError("`ssl.SSLContext` is not CPython's own; mxcert_runtime needs CPython")


# Within something: gevent warns of each module that holds the class itself, and of each class
# derived from it, since it will not replace it there. That is just what it is here for.
_GENUINE = (_find_genuine_class(),)


def genuine_context() -> type[ssl.SSLContext]:
    """``ssl.SSLContext``, also where gevent or truststore have put a class of theirs in its place.

    Not to be kept under a name of a module, nor derived from: gevent warns of that.
    """
    return _GENUINE[0]


#: Kept, since eventlet takes it out of the module; ``None`` where there is none.
genuine_poll: Any = getattr(select, "poll", None)

#: The class of ``_ssl``, written in C, whose methods nobody can patch
NativeContext: Any = genuine_context().__base__
