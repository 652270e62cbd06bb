"""Looks whether what settings were read from has changed, and lets it be taken up.

Nothing runs in the background. Whoever is about to use a connection looks, if a look is due: then
it costs a ``stat`` for each file, and else one comparison of the clock. A forked process looks
before its first connection, whatever its parent did.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

from ..base import ForkSafeLock, Marks, changed_files, logger as _logger, mark_of
from ..decisions import Generation, in_force
from ..errors import Fault
from ..identity import sources_of
from ..monitoring import is_in_log_handler, look_if_due
from ..settings import Settings, Watch
from .hangup import Hangup
from .source_watch import SourceWatch

#: Seconds between two looks where nothing is said.
AUTO_SECONDS = 5.0
#: A look takes at most this part of the time, however slow the file system is.
_SHARE = 0.001
#: Seconds between two looks at most, where nothing is said.
_LONGEST_SECONDS = 300.0


class Watcher:
    """Looks on behalf of the settings in force."""

    def __init__(self) -> None:
        self._take_up: Callable[[], None] = _nothing
        self._remind: Callable[[], None] = _nothing
        self._turn = ForkSafeLock()
        self._marks: Marks = {}
        #: seconds; ``None``: nobody looks
        self._interval: float | None = None
        self._is_auto = True
        #: whether something has changed that no file shows
        self._is_pushed = False
        self._sources = SourceWatch(self.push)
        self._hangup = Hangup(self.push)

    def serve(self, take_up: Callable[[], None], remind: Callable[[], None]) -> None:
        """Say what takes up a change, and what tells again of what could not be taken up."""
        self._take_up, self._remind = take_up, remind

    def follow(self, generation: Generation, marks: Marks) -> None:
        """Look at what a generation was read from, in place of what was looked at before."""
        settings = generation.settings
        self._interval, self._is_auto = _seconds_of(settings), settings.watch is Watch.AUTO
        named = [path for each in sources_of(settings.identities) for path in each.files()]
        self._marks = {**{path: mark_of(path) for path in named}, **marks}
        if self._interval is None:
            self.stop()
            return
        self._sources.watch(settings.identities)
        if settings.sighup:
            self._hangup.listen()
        else:
            self._hangup.stop()
        in_force.look_by(self.look)
        in_force.due = time.monotonic() + self._interval
        # Looked at last, since a signal handler or a thread may push at any moment.
        if self._is_pushed:
            in_force.due = 0.0

    def note(self, marks: Marks) -> None:
        """Know what was read in vain, so that it is not read again until it changes."""
        self._marks = {**self._marks, **marks}

    def stop(self) -> None:
        """Look at nothing any more."""
        in_force.look_by(None)
        self._interval, self._marks, self._is_pushed = None, {}, False
        self._sources.end()
        self._hangup.stop()

    def refresh_sources(self) -> list[Fault]:
        """Ask every source that is asked at all, due or not; what could not be had."""
        generation = in_force.current
        return self._sources.refresh_all(generation.settings.identities) if generation else []

    def push(self) -> None:
        """Have it taken up before the next connection that something has changed; by any thread."""
        self._is_pushed = True
        if self._interval is not None:
            in_force.due = 0.0

    def look_in_child(self) -> None:
        """Look before the first connection of a process that was forked just now."""
        if self._interval not in (None, math.inf):
            in_force.due = 0.0

    def look(self) -> None:
        """Look, and take up what has changed; one thread does so, and the others go on."""
        interval = self._interval
        # In a log handler nothing is logged, and what is due stays due.
        if interval is None or is_in_log_handler() or not self._turn.acquire(blocking=False):
            return
        # First, since what comes next may make connections.
        in_force.due = time.monotonic() + interval
        try:
            self._look()
        except Exception as error:
            # The connection is the program's, and goes on with what is in force.
            _logger.error("cannot look whether settings have changed: %s", type(error).__name__)
        finally:
            self._turn.release()

    def _look(self) -> None:
        has_new = self._sources.look()
        is_pushed, self._is_pushed = self._is_pushed, False
        if has_new or is_pushed or self._have_files_changed():
            self._take_up()
        self._remind()
        # A program that keeps its connections makes no handshake in which this is looked at.
        look_if_due()

    def _have_files_changed(self) -> bool:
        begun = time.monotonic()
        changed = changed_files(self._marks)
        # What has changed may go on to change, and whoever has said how often to look is obeyed.
        if not changed and self._is_auto:
            self._put_off(begun, time.monotonic() - begun)
        return bool(changed)

    def _put_off(self, begun: float, took: float) -> None:
        in_force.due = max(in_force.due, begun + min(took / _SHARE, _LONGEST_SECONDS))
        if self._is_pushed:
            in_force.due = 0.0


def _seconds_of(settings: Settings) -> float | None:
    watch = settings.watch
    if not isinstance(watch, Watch):
        return watch
    if watch is Watch.AUTO:
        return AUTO_SECONDS
    return math.inf if settings.sighup else None


def _nothing() -> None:
    """What is done before anything is in force."""


#: that of this process
watcher = Watcher()

if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=watcher.look_in_child)
