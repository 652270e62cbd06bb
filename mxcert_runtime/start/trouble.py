"""What is wrong with what was to be taken up: told once it is no passing state, and then each hour.

Deployments write a certificate and its key one after the other, and large files in pieces. So what
does not fit, or cannot be read, is waited for before anybody is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..base import logger as _logger
from ..errors import Fault
from ..monitoring import note_reload

#: Seconds that a deployment may take from its first file to its last.
PATIENCE = 10.0
#: Seconds after which it is told again.
REPETITION = 3600.0


class Trouble:
    """Nothing is wrong at first."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._faults: tuple[Fault, ...] = ()
        self._tell_at = 0.0
        self._is_told = False

    def note(self, faults: tuple[Fault, ...], changed_at: float) -> None:
        """Note what is wrong now; ``changed_at`` is when the files changed last, by the wall clock.

        What was changed long ago is not waited for.
        """
        if not faults:
            self._end()
            return
        if faults != self._faults:
            waited = max(0.0, time.time() - changed_at)
            self._faults, self._is_told = faults, False
            self._tell_at = self._elapsed() + max(0.0, PATIENCE - waited)
        self.remind()

    def told_of(self, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """Those among faults of now that have been told, and so are no passing state."""
        return tuple(each for each in faults if self._is_told and each in self._faults)

    def remind(self) -> None:
        """Tell it, if it has not been told within the hour."""
        if not self._faults or self._elapsed() < self._tell_at:
            return
        if not self._is_told:
            note_reload("failed", self._faults)
        self._is_told = True
        self._tell_at = self._elapsed() + REPETITION
        for fault in self._faults:
            _logger.error("what has changed cannot be used, and what was there stays: %s", fault)

    def forget(self) -> None:
        """Say no more of it."""
        self._faults, self._is_told = (), False

    def _end(self) -> None:
        if self._is_told:
            _logger.info("what has changed can be used again")
        self.forget()
