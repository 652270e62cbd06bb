"""What a new connection object costs more with hooks than without: no handshake, no server."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import socket
import ssl
from collections.abc import Iterator

from .hooked_contexts import ContextKind, ContextSwitch, Host
from .measure import Effort, Figure, Side, Timed, alternate, alternate_difference, processor_clock
from .workers import by_hand

NAME = "creation"

#: Connections in one chunk, where each needs a socket of its own; few enough for any limit of
#: open files.
_SOCKETS = 200
#: Such a chunk is so many times shorter than others, so there are as many more of them.
_SHORT = 4

_HOSTS = {
    "a rule says none": Host.NO_CERTIFICATE,
    "pinned identity": Host.PINNED,
    "the request chooses": Host.REQUEST_CHOOSES,
}


def wrapping_bio(switch: ContextSwitch, host: Host) -> Timed:
    """Repeats ``wrap_bio``."""
    name = host.value

    def timed(loops: int) -> float:
        wrap, incoming, outgoing = switch.context.wrap_bio, ssl.MemoryBIO(), ssl.MemoryBIO()
        repetitions = itertools.repeat(None, loops)
        start = processor_clock()
        for _ in repetitions:
            wrap(incoming, outgoing, False, name)
        return processor_clock() - start

    return timed


@contextlib.contextmanager
def _connected_sockets(count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(count)]
        for each in itertools.chain.from_iterable(pairs):
            stack.enter_context(each)
        yield [client for client, _ in pairs]


def _wrapping_socket(switch: ContextSwitch, host: Host) -> Timed:
    """``wrap_socket`` on connected sockets, without the handshake."""
    name = host.value

    def timed(loops: int) -> float:
        wrap = switch.context.wrap_socket
        with _connected_sockets(loops) as sockets, contextlib.ExitStack() as stack:
            wrapped = []
            start = processor_clock()
            for each in sockets:
                wrapped.append(wrap(each, False, False, True, name))
            elapsed = processor_clock() - start
            for connection in wrapped:
                stack.enter_context(connection)
        return elapsed

    return timed


def sides_of(switch: ContextSwitch, timed: Timed, kind: ContextKind) -> tuple[Side, Side]:
    """Hooked and not hooked."""
    hooked = Side("hooked", timed, switch.hooked(kind, timed))
    return hooked, Side("not hooked", timed, switch.unhooked(kind, timed))


def _with_bundle(switch: ContextSwitch, effort: Effort) -> list[Figure]:
    figures: list[Figure] = []
    for title, host in _HOSTS.items():
        sides = sides_of(switch, wrapping_bio(switch, host), ContextKind.BUNDLE)
        figures.append(alternate_difference(f"wrap_bio, {title}", *sides, effort))
    count = effort.sized(_SOCKETS)
    more = dataclasses.replace(effort, pairs=effort.pairs * _SHORT)
    for title, host in _HOSTS.items():
        sides = sides_of(switch, _wrapping_socket(switch, host), ContextKind.BUNDLE)
        figures.append(alternate_difference(f"wrap_socket, {title}", *sides, more, loops=count))
    return figures


def _with_default_context(switch: ContextSwitch, effort: Effort) -> list[Figure]:
    figures: list[Figure] = []
    for title, host in _HOSTS.items():
        sides = sides_of(switch, wrapping_bio(switch, host), ContextKind.DEFAULT)
        name = f"wrap_bio on a default context, {title}"
        figures.append(alternate_difference(name, *sides, effort))
    return figures


def _as_ratios(switch: ContextSwitch, effort: Effort) -> list[Figure]:
    """Sockets as ratios, which hold whatever the processor's clock does meanwhile."""
    figures: list[Figure] = []
    count = effort.sized(_SOCKETS)
    more = dataclasses.replace(effort, pairs=effort.pairs * _SHORT)
    for title, host in _HOSTS.items():
        sides = sides_of(switch, wrapping_bio(switch, host), ContextKind.BUNDLE)
        figures.append(alternate(f"wrap_bio, {title}, as a ratio", *sides, effort))
        sides = sides_of(switch, _wrapping_socket(switch, host), ContextKind.BUNDLE)
        figures.append(alternate(f"wrap_socket, {title}, as a ratio", *sides, more, loops=count))
    return figures


def measure(effort: Effort) -> list[Figure]:
    """By what the policy says, by how the connection is made, and by the caller's context."""
    switch = ContextSwitch()
    return [
        *_with_bundle(switch, effort),
        *_with_default_context(switch, effort),
        *_as_ratios(switch, effort),
    ]


if __name__ == "__main__":
    by_hand(NAME)
