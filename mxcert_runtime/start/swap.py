"""The swap of generations: what is hooked, who is told of the new one, what takes it all back."""

from __future__ import annotations

import functools
from contextlib import ExitStack

from ..base import ForkSafeLock, Marks
from ..connections import end_keys, forget_plans
from ..contexts import known_loads, shared_contexts, stop_listening
from ..contexts.ledger import ledger
from ..decisions import Generation, in_force
from ..hooks import LIBRARIES
from ..hooks.patching import Patches
from ..hooks.stdlib.sessions import sources
from ..monitoring import direct_log, guard_log, housekeeping, reloads, unguard_log
from .given import Given
from .inheritance import inheritance
from .watching import watcher

_patches = Patches(LIBRARIES)
#: held by whoever puts other settings in force
lock = ForkSafeLock()
_given: Given | None = None
#: what takes everything back, in reverse order
_undoing = ExitStack()


def given() -> Given | None:
    """What the settings in force were read from."""
    return _given


def hooked() -> str:
    """The libraries that are hooked, for people."""
    return _patches.describe()


def put_in_force(generation: Generation, source: Given, marks: Marks) -> None:
    """Hook what there is, and swap; ``marks`` are of what was read. The caller holds the lock."""
    global _given
    before = in_force.current
    if before is None:
        _plan_undoing()
    try:
        if before is None or before.settings.log != generation.settings.log:
            direct_log(generation.settings.log)
        guard_log()
        _patches.apply()
    except BaseException:
        if before is None:
            take_back()
        raise
    _given = source
    shared_contexts.keep_only(generation.identities)
    _patches.keep_only(generation.identities)
    in_force.install(generation)
    end_keys(generation)
    forget_plans()
    sources.forget_ended()
    _patches.retire()
    _use_load_cache(generation.settings.trust_cache)
    inheritance.follow(generation, source)
    housekeeping.watch(generation.identities)
    watcher.follow(generation, marks)


def take_back() -> None:
    """Undo all of it."""
    with lock:
        _undoing.close()


def _forget_given() -> None:
    global _given
    _given = None


def _use_load_cache(wanted: bool) -> None:
    if wanted:
        known_loads.start()
    else:
        ledger.finish_all()


def _plan_undoing() -> None:
    """Say how everything is taken back, before any of it is done; what comes last here is first."""
    _undoing.pop_all()
    for undo in (
        _patches.forget,
        sources.forget_all,
        ledger.forget_all,
        shared_contexts.forget_all,
        forget_plans,
        stop_listening,
        reloads.forget,
        _forget_given,
        watcher.stop,
        inheritance.take_back,
        functools.partial(housekeeping.watch, ()),
        unguard_log,
        functools.partial(direct_log, None),
        _patches.undo,
        functools.partial(in_force.install, None),
        # While whoever looks at a context still finds it loaded.
        ledger.finish_all,
    ):
        _undoing.callback(undo)
