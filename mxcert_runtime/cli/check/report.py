"""The report of ``mxcert check`` as plain data, in the structure of :mod:`.schema`.

The text for people is made from this data, so that the two cannot say different things.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ...base import is_free_threaded, process_environ
from ...decisions import Generation, build_generation
from ...diagnosis import (
    Diagnostic,
    DiagnosticCode,
    Expectation,
    check_files,
    check_identity,
    check_inheritance,
    check_offer,
    check_rules,
    check_service_prefixes,
    check_services,
)
from ...errors import IdentityError, SettingsError
from ...identity import (
    Authorities,
    Certificate,
    Identity,
    KeyTransferError,
    certificates_of,
    load_identities,
)
from ...settings import ExpiredIdentities, Reading, is_disabled, read_process_settings
from .clients import check_clients
from .identities import describe_authority, describe_identity
from .rules import describe_default, describe_rules
from .settings import describe_settings
from .summary import summarize
from .tokens import check_signatures

SCHEMA_NAME = "mxcert-check/2"


def make_report(
    window: timedelta, strict: bool, ignored: Sequence[str] = (), *, signing: bool = False
) -> dict[str, Any]:
    """Read the settings of this process, judge them, and tell all; nothing is put in force.

    ``window`` is how long certificates must last from now on. Warnings count as well where the
    look is ``strict``; what has one of the ``ignored`` codes is left out. ``signing`` makes keys in
    tokens sign.
    """
    reading = read_process_settings()
    generation, faults = _build(reading)
    identities = generation.identities if generation else tuple(_loadable(reading))
    authorities = tuple(_certificates(generation)) if generation else ()
    refuses = reading.settings.expired_identities is ExpiredIdentities.REFUSE
    expected = Expectation(
        moment=datetime.now(timezone.utc),
        window=window,
        authorities=authorities,
        has_refused_dates=refuses and generation is None,
    )
    found = [*faults, *_check(reading, generation, identities, expected)]
    found += check_signatures(identities) if signing else ()
    # Where nothing is to be presented, nobody misses it.
    found += check_clients() if identities else ()
    found = [each for each in found if each.code.value not in ignored]
    errors = [each.as_data() for each in found if each.is_error]
    warnings = [each.as_data() for each in found if not each.is_error]
    report = {
        "schema": SCHEMA_NAME,
        "ok": not errors and not (strict and warnings),
        "checked_at": expected.moment.isoformat(timespec="seconds"),
        "expires_within_hours": window // timedelta(hours=1),
        "settings": describe_settings(reading, process_environ()),
        "identities": [describe_identity(each, expected) for each in identities],
        "rules": describe_rules(generation) if generation else [],
        "default": describe_default(generation) if generation else None,
        "extra_authorities": _extra_authorities(generation, expected.moment),
        "errors": errors,
        "warnings": warnings,
        "ignored": sorted(set(ignored)),
    }
    return {**report, "summary": summarize(report)}


def _build(reading: Reading) -> tuple[Generation | None, list[Diagnostic]]:
    try:
        return build_generation(reading), []
    except SettingsError as error:
        return None, list(map(Diagnostic.of_fault, error.faults))


def _loadable(reading: Reading) -> Iterator[Identity]:
    """What can be told of identities although the settings as a whole cannot be used."""
    for each in reading.settings.identities:
        with contextlib.suppress(IdentityError, KeyTransferError):
            yield from load_identities(each)


def _check(
    reading: Reading,
    generation: Generation | None,
    identities: Iterable[Identity],
    expected: Expectation,
) -> Iterator[Diagnostic]:
    yield from _check_presence(reading)
    yield from _check_build()
    for identity in identities:
        yield from check_identity(identity, expected)
    if generation:
        yield from check_rules(generation, expected.moment)
        yield from check_offer(reading, generation)
        yield from check_services(generation)
    yield from check_service_prefixes(reading)
    yield from check_files(reading)
    yield from check_inheritance(reading.settings)
    yield from map(Diagnostic.of_warning, reading.warnings)


def _check_presence(reading: Reading) -> Iterator[Diagnostic]:
    if is_disabled(process_environ()):
        problem = "says 1: nothing is read, and no certificate is presented"
        remedy = "Take it out, if this program is to present certificates"
        yield Diagnostic(
            code=DiagnosticCode.DISABLED,
            origin="environment variable MXCERT_DISABLE",
            problem=problem,
            remedy=remedy,
        )
    elif not reading.settings and not reading.faults:
        problem = "there are none, and no certificate is presented"
        remedy = "Set ClientCertificates, or name a file in MXCERT_CONFIG"
        yield Diagnostic(
            code=DiagnosticCode.NO_SETTINGS, origin="settings", problem=problem, remedy=remedy
        )


def _check_build() -> Iterator[Diagnostic]:
    if is_free_threaded():
        yield Diagnostic(
            code=DiagnosticCode.UNSUPPORTED_PYTHON,
            origin=f"the Python {sys.executable}",
            problem="is a free-threaded build, on which nothing is activated: it is not tested",
            remedy="Run the program on the same Python with its GIL",
        )


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
