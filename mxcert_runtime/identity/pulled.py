"""A source that is asked again in time: it holds what it fetched last, as long as that can be used.

What is fetched is opened before it takes the place of what is held, so nothing broken ever does.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from ..base import ForkSafeLock, dataclass
from .source import Credentials

#: of what is left of the life of a certificate, when a new one is fetched; the spread keeps the
#: processes of a fleet from asking all at once
_EARLIEST, _LATEST = 0.6, 0.7
_LEAST_WAIT = timedelta(seconds=1)
_FIRST_RETRY, _LAST_RETRY = timedelta(seconds=5), timedelta(minutes=5)
_MOST_DOUBLINGS = 10


@dataclass(frozen=True)
class _Held:
    """What was fetched last and can be used, replaced as a whole."""

    credentials: Credentials
    #: kept alive, so that nobody decrypts it again
    opened: object
    due: datetime | None


class PulledSource(ABC):
    """Implements all of a source but :meth:`fetch` and :meth:`shown`.

    Whoever reads what is held waits for nobody who fetches meanwhile.
    """

    def __init__(self) -> None:
        self._fetching = ForkSafeLock()
        self._held: _Held | None = None
        self._failures = 0

    @abstractmethod
    def fetch(self) -> Credentials:
        """New credentials.

        Raises :class:`~.errors.IdentityError`; never with a secret in it.
        """

    @abstractmethod
    def shown(self) -> str:
        """What is shown of the source, in one line; never a secret."""

    def read(self) -> Credentials:
        """What is held; fetched where nothing is."""
        held = self._held
        if held is None:
            with self._fetching:
                held = self._held = self._held or self._opened(self.fetch())
        return held.credentials

    def files(self) -> tuple[str, ...]:
        """None: the output of a source is no file."""
        return ()

    def due(self) -> datetime | None:
        """When about two thirds of what was left of the certificate are over."""
        held = self._held
        return None if held is None else held.due

    def refresh(self) -> None:
        """Fetch, open, and only then hold it."""
        with self._fetching:
            try:
                self._held, self._failures = self._opened(self.fetch()), 0
            except Exception:
                self._put_off()
                raise

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Nothing to watch: it is asked."""
        return _nothing

    def now(self) -> datetime:
        """The present moment, aware."""
        return datetime.now(timezone.utc)

    def _opened(self, credentials: Credentials) -> _Held:
        from .identity import open_once
        from .opening import content_of

        content = content_of(credentials, self.shown())
        opened = open_once(content, credentials.password)
        ends = [each.leaf.validity[1] for each in opened.pairs if each.leaf.validity]
        return _Held(credentials, opened, self._moment_before(min(ends)) if ends else None)

    def _put_off(self) -> None:
        wait = min(_FIRST_RETRY * 2 ** min(self._failures, _MOST_DOUBLINGS), _LAST_RETRY)
        self._failures += 1
        if self._held is not None:
            self._held = replace(self._held, due=self.now() + wait)

    def _moment_before(self, end: datetime) -> datetime:
        now = self.now()
        part = random.uniform(_EARLIEST, _LATEST)  # noqa: S311 - no secret
        return now + max((end - now) * part, _LEAST_WAIT)


def _nothing() -> None:
    """What ends a watch that never began."""
