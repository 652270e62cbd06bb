"""Reloading: the next generation is built wholly aside, and put in force if it is sound.

What has not changed goes on: an identity with the same content keeps its contexts, sessions and
connections, and connections that are under way finish as they began. Whoever calls :func:`reload`
gets every fault; where a change is found by looking, what is broken stays as it was, and all else
is taken up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from ..base import Marks, logger as _logger, newest_change
from ..base.files_read import files_read
from ..decisions import Generation, build_generation, build_renewal, in_force
from ..errors import Fault, SettingsError
from ..identity import Identity
from ..monitoring import note_reload
from ..settings import Reading
from . import swap
from .given import Given
from .trouble import Trouble
from .watching import watcher

_NO_SETTINGS = Fault(
    "settings",
    "there are none any more",
    "Bring them back, or call mxcert_runtime.deactivate() to go on without identities",
)

_trouble = Trouble()
#: the process in which an attempt is under way, for whoever holds the lock of swaps, and whether
#: another one has been asked for since it began
_attempting: int | None = None
_is_asked_again = False


def reload() -> None:
    """Read again all that the settings in force were read from, and put in force what has changed.

    That is the mapping of :func:`~.start.activation.activate`, or the environment as it was at the
    activation, and every file that they name as it is now. Raises :class:`~.errors.SettingsError`
    with every fault, and then leaves all as it was. Does nothing where no settings are in force.
    A signal handler that calls it within a reload has that read everything once more.
    """
    with swap.lock:
        _attempt(_reload)


def take_up() -> None:
    """The same where a change was found by looking: what is broken stays, and the log says so."""
    # Whoever holds it may wait, in a log handler, for the connection that looks here.
    if not swap.lock.acquire(blocking=False):
        watcher.push()
        return
    try:
        _attempt(_take_up)
    finally:
        swap.lock.release()


def _attempt(make: Callable[[Generation, Given], None]) -> None:
    """Make one attempt at a time: what is asked for within one, by a signal handler, comes after.

    Else what was read first would be put in force last. The caller holds the lock.
    """
    global _attempting, _is_asked_again
    if _attempting == os.getpid():
        _is_asked_again = True
        return
    # Of a parent's attempt, in the middle of which this process was forked, nothing goes on.
    _attempting = os.getpid()
    try:
        _make_until_last(make)
    finally:
        _attempting = None


def _make_until_last(make: Callable[[Generation, Given], None]) -> None:
    global _is_asked_again
    while True:
        _is_asked_again = False
        before, given = in_force.current, swap.given()
        if before is None or given is None:
            return
        try:
            make(before, given)
        except SettingsError:
            if not _is_asked_again:
                raise
        if not _is_asked_again:
            return


def _reload(before: Generation, given: Given) -> None:
    try:
        with files_read() as marks:
            _refuse(watcher.refresh_sources())
            generation = build_generation(_checked(given.read()))
    except SettingsError as error:
        note_reload("failed", error.faults)
        raise
    _swap(before, generation, given, marks)
    _trouble.note((), 0.0)


def _take_up(before: Generation, given: Given) -> None:
    with files_read() as marks:
        try:
            generation, faults = build_renewal(_checked(given.read()), before)
            watcher.note(marks)
            if not faults or not generation.decides_like(before):
                _swap(before, generation, given, marks, faults)
        except SettingsError as error:
            faults = tuple(error.faults)
            watcher.note(marks)
    _trouble.note(faults, newest_change(marks))


def forget_trouble() -> None:
    """Forget what was broken, of settings that are replaced as a whole."""
    _trouble.forget()


def remind() -> None:
    """Tell of what is broken still, if that is due."""
    _trouble.remind()


def _checked(reading: Reading) -> Reading:
    if not reading.settings and not reading.faults:
        raise SettingsError([_NO_SETTINGS])
    return reading


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise SettingsError(faults)


def _swap(
    before: Generation,
    after: Generation,
    given: Given,
    marks: Marks,
    outlived: tuple[Fault, ...] = (),
) -> None:
    """Put it in force where it is another one; ``outlived`` is what is wrong with what stays."""
    global _is_asked_again
    if in_force.current is not before:
        # A signal handler has put other settings in force, or taken them back.
        _is_asked_again = True
        return
    if after.decides_like(before):
        watcher.follow(before, marks)
        note_reload("unchanged")
        return
    swap.put_in_force(after, given, marks)
    note_reload("applied", _trouble.told_of(outlived))
    for fault in _only_new(after.invalid, before.invalid):
        _logger.error("%s", fault)
    for fault in _only_new(after.warnings, before.warnings):
        _logger.warning("%s", fault)
    _tell_changes(before, after)


def _tell_changes(before: Generation, after: Generation) -> None:
    known = {each.digest for each in before.identities}
    changed = [each for each in after.identities if each.digest not in known]
    _logger.info(
        "reloaded: %s; %d identities as before",
        _described(changed) or "other settings",
        len(after.identities) - len(changed),
    )


def _only_new(faults: Iterable[Fault], told: tuple[Fault, ...]) -> list[Fault]:
    return [each for each in faults if each not in told]


def _described(identities: Iterable[Identity]) -> str:
    return ", ".join(
        f"{each.name} until {each.not_after:%Y-%m-%d %H:%M} UTC" for each in identities
    )
