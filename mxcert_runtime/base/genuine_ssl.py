"""The SSL classes of the standard library, and its `poll`, as they are under what is patched."""

from __future__ import annotations

import select
import ssl
from typing import Any

from .genuine_class import find_genuine_class

# Within something: gevent warns of each module that holds the class itself, and of each class
# derived from it, since it will not replace it there. That is just what it is here for.
_GENUINE: tuple[type[ssl.SSLContext]] = (find_genuine_class(ssl),)


def genuine_context() -> type[ssl.SSLContext]:
    """``ssl.SSLContext``, also where gevent or truststore have put a class of theirs in its place.

    Not to be kept under a name of a module, nor derived from: gevent warns of that.
    """
    return _GENUINE[0]


#: Kept, since eventlet takes it out of the module; ``None`` where there is none.
genuine_poll: Any = getattr(select, "poll", None)

#: The class of ``_ssl``, written in C, whose methods nobody can patch
NativeContext: Any = genuine_context().__base__
