"""Test hosts lead to loopback: in this process by a context manager, in others by sitecustomize.

Only ``socket.getaddrinfo`` is replaced, which the standard library, asyncio's own loop and every
client on top of them use; uvloop, aiodns and gevent resolve names by themselves. This file imports
next to nothing, since a client process reads it before what is tested.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

#: names of RFC 6761 that can be nobody's
DEFAULT_PATTERNS = ("*.test", "*.example")
LOOPBACK = ("127.0.0.1", "::1")
#: how :func:`variables_for` tells a client process
VARIABLE = "TEST_LOOPBACK_NAMES"


class LoopbackNames:
    """A context manager: hosts that fit a pattern (``*`` fits any number of labels) are loopback.

    ``addresses`` are what the names have, in this order; an entry of the wrong family for a
    question is left out of its answer.
    """

    def __init__(self, *patterns: str, addresses: tuple[str, ...] = LOOPBACK) -> None:
        self._patterns = patterns or DEFAULT_PATTERNS
        self._addresses = addresses
        self._original: Any = None

    def __enter__(self) -> LoopbackNames:
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        socket.getaddrinfo = self._original

    def install(self) -> None:
        """Replace ``socket.getaddrinfo``."""
        self._original = socket.getaddrinfo
        socket.getaddrinfo = self.getaddrinfo

    def getaddrinfo(
        self, host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        """As ``socket.getaddrinfo``; ``socket.gaierror`` where no address has the family."""
        if not self._fits(host):
            answer: list[Any] = self._original(host, port, family, type, proto, flags)
            return answer
        wanted = [each for each in self._addresses if family in (0, _family_of(each))]
        if not wanted:
            raise socket.gaierror(socket.EAI_NONAME, "the test name has no such address")
        # AI_ADDRCONFIG would leave ::1 out on a machine without an outer IPv6 address.
        flags &= ~socket.AI_ADDRCONFIG
        found = [self._original(each, port, family, type, proto, flags) for each in wanted]
        return [entry for entries in found for entry in entries]

    def _fits(self, host: Any) -> bool:
        name = _plain_name(host)
        return any(fnmatchcase(name, pattern) for pattern in self._patterns)


def _family_of(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _plain_name(host: Any) -> str:
    if host is None:
        return ""
    try:
        name = host.encode("idna") if isinstance(host, str) else bytes(host)
    except UnicodeError:
        return ""
    return str(name, "ascii", "replace").lower().rstrip(".")


def variables_for(*patterns: str, addresses: tuple[str, ...] = LOOPBACK) -> dict[str, str]:
    """The environment of a client process in which these names lead to loopback."""
    return {VARIABLE: json.dumps([patterns or DEFAULT_PATTERNS, addresses])}


def install_from(environ: Mapping[str, str]) -> None:
    """What ``sitecustomize`` does: follow the variable, if it is there."""
    if VARIABLE in environ:
        patterns, addresses = json.loads(environ[VARIABLE])
        LoopbackNames(*patterns, addresses=tuple(addresses)).install()
