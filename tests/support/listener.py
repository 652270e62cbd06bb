"""Sockets that accept on loopback, one thread for each connection; knows no protocol and no TLS.

Nothing here sleeps: stopping wakes the thread that accepts and ends every connection.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Generic, TypeVar

import pytest

#: Seconds that anything in the test support waits for the other side before it gives up. Nothing
#: that succeeds waits for them to pass, and a busy machine may need many times what it does idle.
TIMEOUT = 60.0
IPV4 = ("127.0.0.1",)
IPV4_AND_IPV6 = ("127.0.0.1", "::1")

Item = TypeVar("Item")
Server = TypeVar("Server", bound="ListeningServer")


class Records(Generic[Item]):
    """What a server's threads put down, in order; a test can wait for entries to come."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._changed = threading.Condition()

    def append(self, item: Item) -> None:
        """Add an entry and wake whoever waits."""
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def wait_for(self, count: int, timeout: float = TIMEOUT) -> list[Item]:
        """All entries, once there are at least ``count``; ``AssertionError`` if they stay out."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._items) >= count, timeout):
                raise AssertionError(f"waited for {count} entries, there are: {self._items}")
            return list(self._items)

    def clear(self) -> None:
        """Forget all entries."""
        with self._changed:
            self._items.clear()

    def __getitem__(self, index: int) -> Item:
        return self._items[index]

    def __iter__(self) -> Iterator[Item]:
        return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return list(self) == (list(other) if isinstance(other, Records) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._items)


class Listener:
    """A context manager that accepts connections and calls ``serve(connection, number)``.

    ``number`` counts from 1. ``serve`` runs in a thread of its own and closes what it makes out
    of the connection; an ``OSError`` from it is the end of the connection and no fault.
    """

    def __init__(
        self, serve: Callable[[socket.socket, int], None], addresses: Sequence[str] = IPV4
    ) -> None:
        self._serve = serve
        self._sockets = bind_loopback(addresses)
        #: the same on every address; still known when the listener has stopped
        self.port: int = self._sockets[0].getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._accepting = threading.Thread(target=self._accept_all, daemon=True)
        self.connections = 0

    def __enter__(self) -> Listener:
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._wake.close()
        self._accepting.join(TIMEOUT)
        for connection in self._open.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + TIMEOUT
        for thread in self._open:
            thread.join(max(0.0, deadline - time.monotonic()))
        assert not any(thread.is_alive() for thread in self._open), "a connection does not end"

    def _accept_all(self) -> None:
        with selectors.DefaultSelector() as selector, self._woken, contextlib.ExitStack() as stack:
            selector.register(self._woken, selectors.EVENT_READ)
            for listening in self._sockets:
                stack.enter_context(listening)
                selector.register(listening, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    return
                for listening in self._sockets:
                    if listening in ready:
                        self._accept(listening)

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except OSError:  # the client has gone again before it was accepted
            return
        self.connections += 1
        connection.settimeout(TIMEOUT)
        # An answer right behind the tickets of TLS 1.3 would wait for the client to confirm these.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # TLS takes the connection's descriptor over; the twin still reaches it when stopping.
        twin = connection.dup()
        arguments = (connection, twin, self.connections)
        thread = threading.Thread(target=self._run, args=arguments, daemon=True)
        thread.start()
        # Those that have ended are dropped here and not by themselves, so that stopping joins every
        # thread to its very end.
        running = {each: end for each, end in self._open.items() if each.is_alive()}
        self._open = {**running, thread: twin}

    def _run(self, connection: socket.socket, twin: socket.socket, number: int) -> None:
        with twin:
            try:
                with contextlib.suppress(OSError), connection:
                    self._serve(connection, number)
            except BaseException:
                # A fault of the server itself: the client must not wait for an answer.
                twin.shutdown(socket.SHUT_RDWR)
                raise
            _linger(twin)


class ListeningServer:
    """A context manager that listens while it is entered; what it speaks is its own."""

    def __init__(self, addresses: Sequence[str] = IPV4) -> None:
        self._listener = Listener(self._serve, addresses)

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._listener.port

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted."""
        return self._listener.connections

    def __enter__(self: Server) -> Server:
        self._listener.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.__exit__(kind, error, traceback)

    def _serve(self, plain: socket.socket, number: int) -> None:
        """Speak with one client, and close the connection."""
        raise NotImplementedError


def _linger(connection: socket.socket) -> None:
    # Closing while the client's bytes are unread sends a reset, which can overtake the last
    # answer or the TLS alert; so read until the client has closed as well.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(TIMEOUT)
        # An answer right behind the tickets of TLS 1.3 would wait for the client to confirm these.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.recv(65536):
            pass


def bind_loopback(addresses: Sequence[str] = IPV4) -> list[socket.socket]:
    """Listening sockets on one free port of these addresses; skips a test without IPv6."""
    for _ in range(50):
        with contextlib.ExitStack() as stack:
            try:
                sockets = _bind(addresses, stack)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                if "::1" in addresses:
                    pytest.skip(f"no IPv6 loopback here: {error}")
                raise
            stack.pop_all()
            return sockets
    raise AssertionError(f"no port is free on all of {addresses}")


def _bind(addresses: Sequence[str], stack: contextlib.ExitStack) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listening.bind((address, sockets[0].getsockname()[1] if sockets else 0))
        listening.listen(128)
        sockets.append(listening)
    return sockets
