"""gevent: its own classes of sockets, which dial as those of the standard library do."""

from __future__ import annotations

import functools

from .known_versions import KNOWN
from .patching import Library, attribute_of
from .stdlib.dialling_sockets import dialling_patches, wrapped_first_patches

_VERSIONS = KNOWN["gevent"].versions
_SOCKET = attribute_of("gevent.socket", "socket")

LIBRARIES = (
    Library(
        "gevent.socket",
        functools.partial(dialling_patches, "gevent.socket", _SOCKET),
        "gevent",
        _VERSIONS,
    ),
    Library(
        "gevent.ssl", functools.partial(wrapped_first_patches, "gevent.ssl"), "gevent", _VERSIONS
    ),
)
