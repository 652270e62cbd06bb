"""The SSL classes of the standard library as they are underneath whatever is patched onto them."""

from __future__ import annotations

import ssl
from typing import Any


def _find_genuine_class() -> type[ssl.SSLContext]:
    for candidate in ssl.SSLContext.__mro__:
        if candidate.__module__ == "ssl" and "_ssl" in {b.__module__ for b in candidate.__bases__}:
            return candidate
    raise ImportError("`ssl.SSLContext` is not CPython's own; mxcert_runtime needs CPython")


#: ``ssl.SSLContext``, also where gevent or truststore have put a class of theirs in its place
GenuineContext: type[ssl.SSLContext] = _find_genuine_class()

#: The class of ``_ssl``, written in C, whose methods nobody can patch
NativeContext: Any = GenuineContext.__base__
