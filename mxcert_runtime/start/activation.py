"""Activation: read, build, then hook, all or nothing; undone in reverse order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base import logger as _logger, process_environ, refuse_free_threading
from ..base.files_read import files_read
from ..decisions import Generation, build_generation, in_force
from ..settings import Reading, RuleKind, is_disabled
from . import inheritance, reloading, swap
from .given import Given
from .watching import watcher


def activate(settings: Mapping[str, Any] | None = None) -> None:
    """Put settings in force, in the place of those that are.

    ``settings`` is a mapping in the structure of the native file; without it the environment and
    the settings file are read. No settings at all put nothing in force. With ``MXCERT_DISABLE=1``
    it does nothing. Raises :class:`~.errors.SettingsError` with every fault, and then leaves all
    as it was; so it does on a free-threaded build of Python, where it raises
    :class:`~.errors.UnsupportedPythonError`.
    """
    if is_disabled(process_environ()):
        return
    source = Given(settings)
    # Tracebacks show the variables of their frames, and these hold passwords.
    del settings
    with files_read() as marks:
        reading = source.read()
        generation = build_generation(reading) if reading.settings or reading.faults else None
    if generation is None:
        _tell_warnings(reading)
        deactivate()
        return
    refuse_free_threading()
    watcher.serve(reloading.take_up, reloading.remind)
    with swap.lock:
        reloading.forget_trouble()
        swap.put_in_force(generation, source.kept(), marks)
    _tell(generation, source)


def deactivate() -> None:
    """Take every hook away; connections that are open keep what they have."""
    swap.take_back()


def is_active() -> bool:
    """Whether settings are in force."""
    return in_force.current is not None


def _tell(generation: Generation, source: Given) -> None:
    for fault in generation.invalid:
        _logger.error("%s", fault)
    for fault in generation.warnings:
        _logger.warning("%s", fault)
    if any(each.kind is not RuleKind.HOST for each in generation.settings.rules):
        from ..diagnosis import check_services  # late: rules for hosts alone name no service

        for diagnostic in check_services(generation):
            _logger.warning("%s", diagnostic)
    inheritance.warn(generation, source)
    _logger.info(
        "active: %d identities, %d rules; hooked: %s; %s",
        len(generation.identities),
        len(generation.settings.rules),
        swap.hooked(),
        inheritance.describe(generation, source),
    )


def _tell_warnings(reading: Reading) -> None:
    for fault in reading.warnings:
        _logger.warning("%s", fault)
