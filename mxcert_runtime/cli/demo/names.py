"""The ``sitecustomize`` of the demo's client process: stands in for DNS and finds the packages.

Every name in ``.example``, which can be nobody's (RFC 6761), leads to loopback; modules come from
where the demo has its own from, which ``folders.json`` beside this file says.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

_getaddrinfo = socket.getaddrinfo


def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    """As ``socket.getaddrinfo``."""
    is_ours = isinstance(host, str) and host.endswith(".example")
    return _getaddrinfo("127.0.0.1" if is_ours else host, *arguments, **options)


if __name__ == "sitecustomize":
    socket.getaddrinfo = getaddrinfo
    with open(os.path.join(os.path.dirname(__file__), "folders.json"), encoding="ascii") as file:
        sys.path[:] = json.load(file)
