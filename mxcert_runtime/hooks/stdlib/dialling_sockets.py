"""Sockets that dial: the name that was dialled, for connections whose client names no host.

``socket.create_connection`` and ``socket.socket.connect`` note it on the socket;
``SSLSocket.connect``, where a socket is wrapped first and connected later, states it as the leg of
the connection that it makes. The same for gevent's own classes, in its own file.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from typing import Any

from ...base import host_dialled
from ...connections import note_connected, note_dialled, note_undecided
from ...decisions import dialling, dialling_proxy, peek_leg
from ..patching import Library, Patch, Switch, attribute_of, unbound, wrapping

#: After these a socket may be on its way to a host that a later call does not name.
_UNDECIDED = (BlockingIOError, InterruptedError, socket.timeout)


def _create_connection(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    sock = wrapped(*args, **kwargs)
    _note_address(sock, args[0] if args else kwargs.get("address"), note_dialled)
    return sock


def _note_address(sock: Any, address: Any, note: Any) -> None:
    if isinstance(address, tuple) and len(address) > 1:
        note(sock, address[0], address[1])


def _build_connect(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def connect(self: Any, address: Any, /) -> Any:
        try:
            result = original(self, address)
        except _UNDECIDED:
            if switch.on:
                note_undecided(self)
            raise
        if switch.on:
            _note_address(self, address, note_connected)
        return result

    return connect


def _build_connect_ex(original: Any, switch: Switch) -> Any:
    original = unbound(original)

    @functools.wraps(original)
    def connect_ex(self: Any, address: Any, /) -> Any:
        result = original(self, address)
        if switch.on:
            if result:
                note_undecided(self)
            else:
                _note_address(self, address, note_connected)
        return result

    return connect_ex


def _connect_on_leg(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    own, dial = _leg_to(args[0] if args else kwargs.get("addr")), dialling
    leg = peek_leg() or own
    if leg is None:
        return wrapped(*args, **kwargs)
    if own is not None and isinstance(own[0], str):
        # A name is what it is, also on the way to another.
        dial = dialling if peek_leg(own[0]) is leg or leg is own else dialling_proxy
        leg = own
    with dial(*leg):
        return wrapped(*args, **kwargs)


def _leg_to(address: Any) -> Any:
    """The leg to what ``connect`` takes; a Unix socket has none."""
    if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[0], str):
        return None
    return host_dialled(address[0]), address[1]


def _genuine_socket_class() -> Any:
    """``socket.socket``, also where another library has put a class of its own in its place."""
    own = (each for each in socket.socket.__mro__ if each.__module__ == "socket")
    return next(own, socket.socket)


def _socket_patches() -> tuple[Patch, ...]:
    # Found once: `socket.socket` may be another class when it is undone.
    genuine = _genuine_socket_class()
    return dialling_patches("socket", lambda: genuine)


def dialling_patches(module: str, owner: Callable[[], Any]) -> tuple[Patch, ...]:
    """The patches of a module that dials, and of its class of sockets."""
    return (
        Patch(attribute_of(module), "create_connection", wrapping(_create_connection)),
        Patch(owner, "connect", _build_connect),
        Patch(owner, "connect_ex", _build_connect_ex),
    )


def wrapped_first_patches(module: str) -> tuple[Patch, ...]:
    """The patches of the ``SSLSocket`` of a module, for who wraps first and connects later."""
    owner = attribute_of(module, "SSLSocket")
    return tuple(
        Patch(owner, name, wrapping(_connect_on_leg)) for name in ("connect", "connect_ex")
    )


LIBRARY = Library("socket", _socket_patches)
