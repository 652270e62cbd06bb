"""Sockets that are dialled before TLS is imported, noted for clients that name no host to TLS.

Plain functions stand in for those of ``socket`` until the hooks come, and then the names that they
noted are handed over.
"""

from __future__ import annotations

from ..base import give_way, stand_in

# The `typing` module costs more than all of this; type checkers know the bare name as well.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    _Note = tuple[str, Any]

_DIALLED, _CONNECTED, _UNDECIDED = "dialled", "connected", "undecided"
#: Sockets that are remembered; past the limit the oldest is forgotten, and its host unnamed.
_LIMIT = 4096


class EarlyDials:
    """Notes who dials what, and calls ``look`` at each dial."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._standing: list[tuple[Any, str, Any]] = []
        self._notes: dict[bytes, list[_Note]] = {}
        self._is_over = False

    def begin(self) -> None:
        """Stand in for what dials, in a `socket` that is loaded just now or anew."""
        import socket

        self._stand_in(socket, "create_connection", self._create_connection)
        self._stand_in(socket.socket, "connect", self._connect)
        self._stand_in(socket.socket, "connect_ex", self._connect_ex)

    def hand_over(self) -> None:
        """Take it all away, and give the hooks, which note by themselves now, what was noted."""
        self._is_over = True
        for place in reversed(self._standing):
            give_way(*place)
        self._standing.clear()
        self._hand_over_notes()

    def _hand_over_notes(self) -> None:
        while self._notes:
            try:
                cookie, notes = self._notes.popitem()
            except KeyError:  # another thread has handed over the last of them
                return
            for kind, address in notes:
                _tell_hooks(kind, _Numbered(cookie), address)

    def _hand_over_late(self) -> None:
        if self._is_over:  # since it was noted
            self._hand_over_notes()

    def _stand_in(self, owner: Any, name: str, build: Callable[[Any], Any]) -> None:
        from functools import wraps

        original = getattr(owner, name)
        ours = wraps(original)(build(original))
        self._standing.append((owner, name, ours))
        stand_in(owner, name, ours)

    def _note(self, kind: str, sock: Any, address: Any = None) -> None:
        self._look()
        if kind != _UNDECIDED and not (isinstance(address, tuple) and len(address) > 1):
            return
        if self._is_over:  # since this dial began
            _tell_hooks(kind, sock, address)
            return
        from ..base import cookie_of

        cookie = cookie_of(sock)
        if cookie is not None:
            if len(self._notes) >= _LIMIT:
                self._notes.pop(next(iter(self._notes)), None)
            self._notes.setdefault(cookie, []).append((kind, address))
            self._hand_over_late()

    def _create_connection(self, original: Any) -> Any:
        def create_connection(*args: Any, **kwargs: Any) -> Any:
            # When it is over too: who has taken it by `from socket import` calls no hook.
            sock = original(*args, **kwargs)
            self._note(_DIALLED, sock, args[0] if args else kwargs.get("address"))
            return sock

        return create_connection

    def _connect(self, original: Any) -> Any:
        from socket import timeout

        def connect(sock: Any, address: Any, /) -> Any:
            if self._is_over:
                return original(sock, address)
            try:
                result = original(sock, address)
            except (BlockingIOError, InterruptedError, timeout):
                self._note(_UNDECIDED, sock)
                raise
            self._note(_CONNECTED, sock, address)
            return result

        return connect

    def _connect_ex(self, original: Any) -> Any:
        def connect_ex(sock: Any, address: Any, /) -> Any:
            if self._is_over:
                return original(sock, address)
            result = original(sock, address)
            self._note(_UNDECIDED if result else _CONNECTED, sock, address)
            return result

        return connect_ex


def _tell_hooks(kind: str, sock: Any, address: Any) -> None:
    from ..connections import note_connected, note_dialled, note_undecided

    if kind == _UNDECIDED:
        note_undecided(sock)
    else:
        note = note_dialled if kind == _DIALLED else note_connected
        note(sock, address[0], address[1])


class _Numbered:
    """What there is left of a socket that was dialled: its number."""

    def __init__(self, cookie: bytes) -> None:
        self._cookie = cookie

    def getsockopt(self, *_: object) -> bytes:
        """The number, whatever is asked for."""
        return self._cookie
