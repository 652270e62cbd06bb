"""Sources while settings are in force: asked again when they are due, listened to otherwise.

What is due is fetched in a thread of its own, which begins then and ends with it: whoever notices
is about to connect, perhaps in an event loop, and a command may take seconds.

A source that fails changes nothing: what it gave last stays. That is said once, and again each
hour, until it is mended.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ..base import Fault, ForkSafeLock, Origin, logger as _logger
from ..decisions import in_force
from ..errors import IdentityError
from ..identity import IdentitySettings, SourceMaterial
from ..monitoring import note_reload

if TYPE_CHECKING:
    from ..identity import Source

_SECONDS_BETWEEN_ERRORS = 3600.0
#: seconds that a connection waits where what it would present has expired
_MOST_WAIT = 10.0


class _Watched:
    """A source, who named it first, what ends its watch, and what was said of it last."""

    def __init__(self, source: Source, origin: Origin) -> None:
        self.source, self.origin = source, origin
        self.stop: Callable[[], None] | None = None
        self.told: Fault | None = None
        self.told_at = 0.0


class _Fetch(threading.Thread):
    """Fetches, and goes; no process waits for it at its end."""

    def __init__(self, fetch: Callable[[], bool]) -> None:
        super().__init__(name="mxcert sources", daemon=True)
        self._fetch_all = fetch
        self._has_news = False

    def run(self) -> None:
        """Fetch."""
        self._has_news = self._fetch_all()

    def settle(self, seconds: float | None) -> bool:
        """Wait; whether something new was fetched by then."""
        self.join(seconds)
        return self._has_news


class SourceWatch:
    """The sources of the settings in force; ``changed`` is called when one has something new.

    It may be called from any thread, as often as the sources like, and is to be quick.
    """

    def __init__(
        self,
        changed: Callable[[], None],
        now: Callable[[], datetime] | None = None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = changed
        self._now = now or (lambda: datetime.now(timezone.utc))
        self._elapsed = elapsed
        self._lock = ForkSafeLock()
        self._watched: dict[int, _Watched] = {}
        self._process = os.getpid()
        self._fetch: _Fetch | None = None

    def watch(self, identities: Iterable[IdentitySettings]) -> None:
        """Watch what these are made from: go on with what is watched already, and end the rest."""
        wanted = _by_source(identities)
        with self._lock:
            self._forget_parent()
            gone = [each for key, each in self._watched.items() if key not in wanted]
            self._watched = {key: self._watched.get(key, each) for key, each in wanted.items()}
            self._begin()
        for each in gone:
            _end(each)

    def end(self) -> None:
        """Watch nothing any more."""
        self.watch(())

    def next_due(self) -> datetime | None:
        """The earliest moment at which a source is due; ``None`` where none is."""
        moments = [moment for each in self._all() if (moment := self._due(each)) is not None]
        return min(moments, default=None)

    def look(self) -> bool:
        """Have what is due fetched aside; whether there is something new already.

        Whoever looks is about to connect, and waits only where what there is has expired. In a
        forked process it begins the watches anew, which its parent has kept.
        """
        with self._lock:
            if self._forget_parent():
                self._begin()
        now = self._now()
        due = [each for each in self._all() if (moment := self._due(each)) and moment <= now]
        if due:
            self._fetch_aside(due)
        return any(_has_expired(each, now) for each in due) and self.settle(_MOST_WAIT)

    def settle(self, seconds: float | None = None) -> bool:
        """Wait for what is being fetched; whether it has come to something new."""
        fetch = self._fetch
        return fetch is not None and fetch.settle(seconds)

    def _fetch_aside(self, due: list[_Watched]) -> None:
        with self._lock:
            if self._fetch is None or not self._fetch.is_alive():
                fetch = _Fetch(lambda: self._fetch_all(due))
                fetch.start()
                # Now, since nobody can wait for a thread that has not begun.
                self._fetch = fetch

    def _fetch_all(self, due: list[_Watched]) -> bool:
        outcomes = [self._refresh(each) for each in due]
        if None not in outcomes:
            return False
        self._changed()
        return True

    def refresh_all(self, identities: Iterable[IdentitySettings]) -> list[Fault]:
        """Fetch all that is asked for anew, due or not, watched or not; what could not be had."""
        wanted = _by_source(identities)
        with self._lock:
            known = [self._watched.get(key, each) for key, each in wanted.items()]
        pulled = [each for each in known if self._due(each) is not None]
        return [fault for each in pulled if (fault := self._refresh(each)) is not None]

    def _all(self) -> list[_Watched]:
        with self._lock:
            return list(self._watched.values())

    def _forget_parent(self) -> bool:
        """Whether this process was forked since; what the parent has begun is not ended here."""
        if self._process == os.getpid():
            return False
        self._process, self._fetch = os.getpid(), None
        for each in self._watched.values():
            each.stop = None
        return True

    def _begin(self) -> None:
        for each in self._watched.values():
            if each.stop is None:
                try:
                    each.stop = each.source.watch(self._changed)
                except IdentityError as error:
                    self._tell(each, error)

    def _due(self, watched: _Watched) -> datetime | None:
        try:
            return watched.source.due()
        except IdentityError as error:
            self._tell(watched, error)
            return None

    def _refresh(self, watched: _Watched) -> Fault | None:
        try:
            watched.source.refresh()
        except IdentityError as error:
            return self._tell(watched, error)
        if watched.told is not None:
            _logger.info("%s gives credentials again", watched.source.shown())
            watched.told = None
        return None

    def _tell(self, watched: _Watched, error: IdentityError) -> Fault:
        fault = Fault(str(watched.origin), error.message, error.remedy)
        is_new = fault != watched.told
        if is_new or self._elapsed() - watched.told_at >= _SECONDS_BETWEEN_ERRORS:
            watched.told, watched.told_at = fault, self._elapsed()
            _logger.error("%s What it gave last stays in use.", fault)
        note_reload("failed", [fault])
        return fault


def _by_source(identities: Iterable[IdentitySettings]) -> dict[int, _Watched]:
    """Each source once, as the first identity names it."""
    found: dict[int, _Watched] = {}
    for each in identities:
        if isinstance(each.material, SourceMaterial):
            source = each.material.source
            found.setdefault(id(source), _Watched(source, each.origin))
    return found


def _has_expired(watched: _Watched, now: datetime) -> bool:
    """Whether a certificate of what is in force by this source has ended."""
    identities = in_force.current.identities if in_force.current else ()
    return any(each.not_after < now for each in identities if each.origin == watched.origin)


def _end(watched: _Watched) -> None:
    """Whatever ending it raises is its own affair; it is not asked any more."""
    if watched.stop is not None:
        try:
            watched.stop()
        except Exception:
            _logger.warning("%s could not be ended", watched.source.shown())
