"""Reloading: the next generation is built wholly aside, and put in force if it is sound.

What has not changed goes on: an identity with the same content keeps its contexts, sessions and
connections, and connections that are under way finish as they began.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ..decisions import in_force
from ..decisions.building import build_generation
from ..decisions.generation import Generation
from ..errors import Fault, SettingsError
from ..identity.identity import Identity
from ..monitoring.reloads import note_reload
from ..settings.model import Reading
from . import activation

_logger = logging.getLogger("mxcert_runtime")

_NO_SETTINGS = Fault(
    "settings",
    "there are none any more",
    "Bring them back, or call mxcert_runtime.deactivate() to go on without identities",
)


def reload() -> None:
    """Read again all that the settings in force were read from, and put in force what has changed.

    That is the mapping of :func:`~.start.activation.activate`, or the environment as it was at the
    activation, and every file that they name as it is now. Raises :class:`~.errors.SettingsError`
    with every fault, and then leaves all as it was. Does nothing where no settings are in force.
    """
    with activation.lock:
        before, given = in_force.current, activation.given()
        if before is None or given is None:
            return
        try:
            generation = _build(given.read())
        except SettingsError as error:
            note_reload("failed", error.faults)
            raise
        if generation.decides_like(before):
            note_reload("unchanged")
            return
        activation.put_in_force(generation)
    note_reload("applied")
    _tell(before, generation)


def _build(reading: Reading) -> Generation:
    if not reading.settings and not reading.faults:
        raise SettingsError([_NO_SETTINGS])
    return build_generation(reading)


def _tell(before: Generation, after: Generation) -> None:
    for fault in _only_new(after.invalid, before.invalid):
        _logger.error("%s", fault)
    for fault in _only_new(after.warnings, before.warnings):
        _logger.warning("%s", fault)
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
