"""The report of ``mxcert check`` as plain data, in the structure of :mod:`.check_schema`.

The text for people is made from the same data, so that the two cannot say different things.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from ...base.environ import process_environ
from ...decisions.building import build_generation
from ...decisions.generation import Generation
from ...diagnosis.doubts.certificates import Expectation, doubts_of_identity
from ...diagnosis.doubts.doubt import Doubt, DoubtCode
from ...diagnosis.doubts.files import doubts_of_files
from ...diagnosis.doubts.rules import doubts_of_rules, doubts_of_service_prefixes
from ...diagnosis.doubts.services import doubts_of_services
from ...errors import IdentityError, SettingsError
from ...identity.authorities import Authorities, certificates_of
from ...identity.identity import Identity, load_identities
from ...identity.key_transfer import KeyTransferError
from ...identity.material.certificate import Certificate
from ...settings.loading import read_process_settings
from ...settings.model import Reading
from ...settings.presence import is_disabled
from .identities import describe_authority, describe_identity
from .rules import describe_default, describe_rules
from .settings import describe_settings

SCHEMA_NAME = "mxcert-check/1"


#: the grades of doubts that make the status a problem, as faults always do
PROBLEMS = ("problem",)
ANY_DOUBT = ("problem", "doubt")


def make_report(window: timedelta, grades: Collection[str]) -> dict[str, Any]:
    """Read the settings of this process, judge them, and tell all; nothing is put in force.

    ``window`` is how long certificates must last from now on. The status is ``fine`` where there
    is no fault, and no doubt of one of these ``grades``.
    """
    reading = read_process_settings()
    generation, faults = _build(reading)
    identities = generation.identities if generation else tuple(_loadable(reading))
    authorities = tuple(_certificates(generation)) if generation else ()
    expected = Expectation(datetime.now(timezone.utc), window, authorities)
    told = {fault["problem"] for fault in faults}
    found = _doubts(reading, generation, identities, expected)
    doubts = [each.as_data() for each in found if each.problem not in told]
    is_fine = not faults and not any(each["grade"] in grades for each in doubts)
    return {
        "schema": SCHEMA_NAME,
        "status": "fine" if is_fine else "problem",
        "checked_at": expected.moment.isoformat(timespec="seconds"),
        "expires_within_hours": window // timedelta(hours=1),
        "settings": describe_settings(reading, process_environ()),
        "identities": [describe_identity(each, expected) for each in identities],
        "rules": describe_rules(generation) if generation else [],
        "default": describe_default(generation) if generation else None,
        "extra_authorities": _extra_authorities(generation, expected.moment),
        "faults": faults,
        "doubts": doubts,
    }


def _build(reading: Reading) -> tuple[Generation | None, list[dict[str, str]]]:
    try:
        return build_generation(reading), []
    except SettingsError as error:
        return None, error.as_data()


def _loadable(reading: Reading) -> Iterator[Identity]:
    """What can be told of identities although the settings as a whole cannot be used."""
    for each in reading.settings.identities:
        with contextlib.suppress(IdentityError, KeyTransferError):
            yield from load_identities(each)


def _doubts(
    reading: Reading,
    generation: Generation | None,
    identities: Iterable[Identity],
    expected: Expectation,
) -> Iterator[Doubt]:
    yield from _doubts_of_presence(reading)
    for identity in identities:
        yield from doubts_of_identity(identity, expected)
    if generation:
        yield from doubts_of_rules(generation, expected.moment)
        yield from doubts_of_services(generation)
    yield from doubts_of_service_prefixes(reading)
    yield from doubts_of_files(reading)
    for warning in reading.warnings:
        code = DoubtCode.SETTINGS_NOTICE
        yield Doubt(code, warning.origin, warning.problem, warning.remedy)


def _doubts_of_presence(reading: Reading) -> Iterator[Doubt]:
    if is_disabled(process_environ()):
        problem = "says 1: nothing is read, and no certificate is presented"
        remedy = "Take it out, if this program is to present certificates"
        yield Doubt(DoubtCode.DISABLED, "environment variable MXCERT_DISABLE", problem, remedy)
    elif not reading.settings and not reading.faults:
        problem = "there are none, and no certificate is presented"
        remedy = "Set ClientCertificates, or name a file in MXCERT_CONFIG"
        yield Doubt(DoubtCode.NO_SETTINGS, "settings", problem, remedy)


def _certificates(generation: Generation) -> Iterator[Certificate]:
    decisions = [*generation.policy.hosts.values(), *generation.policy.services.values()]
    found = (generation.extra_authorities, *(each.authorities for each in decisions))
    for authorities in {each.digest: each for each in found if each}.values():
        yield from _parsed(authorities)


def _parsed(authorities: Authorities | None) -> tuple[Certificate, ...]:
    return certificates_of(authorities.pem) if authorities else ()


def _extra_authorities(generation: Generation | None, moment: datetime) -> list[dict[str, Any]]:
    extra = _parsed(generation.extra_authorities) if generation else ()
    return [describe_authority(each, moment) for each in extra]
