"""A SPIFFE agent by its Workload API: what it gives is held, and kept fresh while it is watched.

What was held last stays while the agent is away, or sends what cannot be read. A forked child has
no stream, since the threads of gRPC are its parent's: it makes one of its own where somebody
watches there, and asks the agent itself where nobody does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from weakref import WeakValueDictionary

from ...base import ForkSafeLock
from ...base.printable import printable
from ...errors import IdentityError, IdentityProblem
from .library import client_class, client_for, reason_of, update_of
from .stream import Stream, pauses
from .update import Update

#: Seconds that one question to the agent may take.
_ANSWER_SECONDS = 5.0


class Agent:
    """One agent; :func:`agent_at` has one for each address, so that identities share a stream."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock = ForkSafeLock()
        self._held: Update | None = None
        self._stream: Stream | None = None
        self._watchers: tuple[Callable[[], None], ...] = ()

    def read(self, patience: float) -> Update:
        """What the agent gives: what is held, where a stream keeps that fresh, else asked now.

        Where nothing is held it is asked again for ``patience`` seconds; where it cannot be asked,
        what is held is still good. Raises :class:`~.errors.IdentityError`: ``UNREADABLE``, or
        ``UNSUPPORTED`` where the package is missing.
        """
        client_class()
        held, stream = self._held, self._stream
        if held is not None and stream is not None and stream.is_of_this_process():
            return held
        update, reason = _ask_again(self.address, patience if held is None else 0.0)
        if update is not None:
            self._hold(update)
            return update
        if held is not None:
            return held
        problem = f"the SPIFFE agent at {printable(self.address)} gives no identity: {reason}"
        remedy = "Let the agent run and its socket be reachable, and register this workload there"
        raise IdentityError(IdentityProblem.UNREADABLE, problem, remedy)

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call back at each update that differs from what is held; returns what ends that."""
        with self._lock:
            if self._stream is None or not self._stream.is_of_this_process():
                # Those of a parent are called in the parent.
                self._watchers = ()
                self._stream = Stream(self.address, self._take)
                self._stream.start()
            self._watchers = (*self._watchers, changed)
            stream = self._stream

        def stop() -> None:
            self._unwatch(changed, stream)

        return stop

    def _unwatch(self, changed: Callable[[], None], stream: Stream) -> None:
        with self._lock:
            if self._stream is not stream or changed not in self._watchers:
                return
            left = list(self._watchers)
            left.remove(changed)
            self._watchers = tuple(left)
            if left:
                return
            self._stream = None
        stream.stop()

    def _hold(self, update: Update) -> bool:
        with self._lock:
            is_new = update != self._held
            self._held = update
        return is_new

    def _take(self, update: Update) -> None:
        if self._hold(update):
            for changed in self._watchers:
                changed()


_agents: WeakValueDictionary[str, Agent] = WeakValueDictionary()
_agents_lock = ForkSafeLock()


def agent_at(address: str) -> Agent:
    """The agent with this address; the same object as long as anybody has it."""
    with _agents_lock:
        agent = _agents.get(address)
        if agent is None:
            agent = _agents[address] = Agent(address)
        return agent


def _ask_again(address: str, patience: float) -> tuple[Update | None, str]:
    """Ask until there is an answer, or patience has ended; then why there was none."""
    deadline = time.monotonic() + patience
    for pause in pauses():
        update, reason = _ask(address)
        if update is not None or time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
    return update, reason


def _ask(address: str) -> tuple[Update | None, str]:
    client, reason = client_for(address)
    if client is None:
        return None, reason
    try:
        return update_of(client.fetch_x509_context(timeout=_ANSWER_SECONDS)), ""
    except Exception as error:  # its frames hold the key, and so it goes no further
        return None, reason_of(error)
    finally:
        client.close()
