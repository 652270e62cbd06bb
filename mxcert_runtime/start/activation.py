"""Activation: read, build, then hook, all or nothing; undone in reverse order."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from ..base.environ import process_environ
from ..base.locks import ForkSafeLock
from ..connections.kept_plans import forget_plans
from ..connections.reuse import end_keys
from ..contexts.handover import stop_listening
from ..contexts.identity_contexts import shared_contexts
from ..contexts.ledger import ledger
from ..contexts.load_cache import known_loads
from ..decisions import in_force
from ..decisions.building import build_generation
from ..decisions.generation import Generation
from ..diagnosis.checks.services import check_services
from ..hooks import LIBRARIES
from ..hooks.patching import Patches
from ..hooks.pyopenssl import sessions as pyopenssl_sessions
from ..hooks.pyopenssl import trust as pyopenssl_trust
from ..hooks.stdlib.sessions import sources
from ..monitoring import housekeeping, reloads
from ..monitoring.log_guard import guard_log, unguard_log
from ..monitoring.log_output import direct_log
from ..settings.model import Reading
from ..settings.presence import is_disabled
from .given import Given

_logger = logging.getLogger("mxcert_runtime")
_patches = Patches(LIBRARIES)
#: held by whoever puts other settings in force
lock = ForkSafeLock()
_given: Given | None = None
#: what takes everything back, in reverse order
_undoing = ExitStack()


def activate(settings: Mapping[str, Any] | None = None) -> None:
    """Put settings in force, in the place of those that are.

    ``settings`` is a mapping in the structure of the native file; without it the environment and
    the settings file are read. No settings at all put nothing in force. With ``MXCERT_DISABLE=1``
    it does nothing. Raises :class:`~.errors.SettingsError` with every fault, and then leaves all
    as it was.
    """
    global _given
    if is_disabled(process_environ()):
        return
    source = Given(settings)
    # Tracebacks show the variables of their frames, and these hold passwords.
    del settings
    reading = source.read()
    if not reading.settings and not reading.faults:
        _tell_warnings(reading)
        deactivate()
        return
    generation = build_generation(reading)
    with lock:
        put_in_force(generation)
        _given = source.kept()
    _tell(generation)


def deactivate() -> None:
    """Take every hook away; connections that are open keep what they have."""
    with lock:
        _undoing.close()


def is_active() -> bool:
    """Whether settings are in force."""
    return in_force.current is not None


def given() -> Given | None:
    """What the settings in force were read from."""
    return _given


def put_in_force(generation: Generation) -> None:
    """Hook what there is, and swap; the caller holds the lock."""
    if in_force.current is None:
        _plan_undoing()
    try:
        direct_log(generation.settings.log)
        guard_log()
        _patches.apply()
    except BaseException:
        if in_force.current is None:
            deactivate()
        raise
    shared_contexts.keep_only(generation.identities)
    in_force.install(generation)
    end_keys(generation)
    forget_plans()
    sources.forget_ended()
    _patches.retire()
    _use_load_cache(generation.settings.trust_cache)
    housekeeping.watch(generation.identities)


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
        pyopenssl_sessions.forget_all,
        pyopenssl_trust.forget_all,
        sources.forget_all,
        ledger.forget_all,
        shared_contexts.forget_all,
        forget_plans,
        stop_listening,
        reloads.forget,
        _forget_given,
        functools.partial(housekeeping.watch, ()),
        unguard_log,
        functools.partial(direct_log, None),
        _patches.undo,
        functools.partial(in_force.install, None),
        # While whoever looks at a context still finds it loaded.
        ledger.finish_all,
    ):
        _undoing.callback(undo)


def _tell(generation: Generation) -> None:
    for fault in generation.invalid:
        _logger.error("%s", fault)
    for fault in generation.warnings:
        _logger.warning("%s", fault)
    for diagnostic in check_services(generation):
        _logger.warning("%s", diagnostic)
    _logger.info(
        "active: %d identities, %d rules; hooked: %s",
        len(generation.identities),
        len(generation.settings.rules),
        _patches.describe(),
    )


def _tell_warnings(reading: Reading) -> None:
    for fault in reading.warnings:
        _logger.warning("%s", fault)
