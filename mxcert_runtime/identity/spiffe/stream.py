"""The stream of an agent's updates: one attempt after the other, until it is stopped.

Each attempt has a channel of its own, since one that has failed does not look for the agent again
for a time that grows to minutes. Pauses grow to seconds here, and each is a random part, so that
the workloads of a host do not come back at one moment.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ...base import logger as _logger
from ...errors import IdentityError
from .library import client_for, reason_of, update_of
from .update import Update

#: Seconds before another attempt.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

#: Clients of a parent: to close one in its child could wait for a thread that is not there.
_left_to_parent: list[Any] = []


def pauses() -> Iterator[float]:
    """The seconds to wait before each further attempt."""
    longest = _FIRST_PAUSE
    while True:
        yield longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        longest = min(longest * 2, _LONGEST_PAUSE)


class Stream:
    """Gives each update to ``take``, in whatever thread it comes."""

    def __init__(self, address: str, take: Callable[[Update], None]) -> None:
        self._address = address
        self._take = take
        self._process = os.getpid()
        self._stopped = threading.Event()
        self._pauses = pauses()
        self._is_lost = False
        self._client: Any = None

    def is_of_this_process(self) -> bool:
        """Whether its threads run here."""
        return self._process == os.getpid()

    def start(self) -> None:
        """Make an attempt in a thread of its own, which keeps no process alive."""
        threading.Thread(target=self._attempt, name="mxcert-spiffe", daemon=True).start()

    def stop(self) -> None:
        """Make no further attempt, and end the one that there is."""
        client, self._client = self._client, None
        if not self.is_of_this_process():
            _left_to_parent.append(client)
            return
        self._stopped.set()
        if client is not None:
            client.close()

    def __del__(self) -> None:
        if not self.is_of_this_process() and self._client is not None:
            _left_to_parent.append(self._client)

    def _attempt(self) -> None:
        try:
            client, reason = client_for(self._address)
        except IdentityError as error:  # somebody has taken the package away
            client, reason = None, error.message
        if client is None:
            self._fail(reason)
            return
        self._client = client
        client.stream_x509_contexts(
            on_success=self._receive, on_error=self._end, retry_connect=False
        )
        if self._stopped.is_set():
            client.close()

    def _receive(self, context: Any) -> None:
        self._pauses = pauses()
        if self._is_lost:
            self._is_lost = False
            _logger.info("the SPIFFE agent at %s is back", self._address)
        self._take(update_of(context))

    def _end(self, error: Exception) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
        self._fail(reason_of(error))

    def _fail(self, reason: str) -> None:
        """Wait, and make another attempt; what is lost is said once, until it is back."""
        if self._stopped.is_set():
            return
        if not self._is_lost:
            self._is_lost = True
            words = (
                "the SPIFFE agent at %s is lost (%s): its last SVIDs stay, and it is tried again"
            )
            _logger.warning(words, self._address, reason)
        if not self._stopped.wait(next(self._pauses)):
            self.start()
