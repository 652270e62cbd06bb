"""What is to be written, judged as ``mxcert check`` judges settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from ...base import Secret, dataclass
from ...decisions import Generation, build_generation
from ...diagnosis import Diagnostic, Expectation, check_files, check_identity, check_rules
from ...errors import SettingsError
from ...settings import Reading, settings_from
from ..check.identities import describe_identity
from .wanted import Wanted


@dataclass(frozen=True)
class Judgement:
    """What the file is, and what is wrong with it."""

    identities: tuple[dict[str, Any], ...]
    diagnostics: tuple[Diagnostic, ...]
    #: the hosts as they are read, such as without the `https://` that a user has pasted
    hosts: tuple[str, ...] = ()

    @property
    def errors(self) -> list[Diagnostic]:
        """What stops the settings, so that they are not worth writing."""
        return [each for each in self.diagnostics if each.is_error]

    @property
    def warnings(self) -> list[Diagnostic]:
        """What stops nothing."""
        return [each for each in self.diagnostics if not each.is_error]


def judge(wanted: Wanted) -> Judgement:
    """Load what is wanted, as a program would, and say what it is."""
    reading = settings_from(_structure(wanted, wanted.password), name="command line")
    try:
        generation = build_generation(reading)
    except SettingsError as error:
        return Judgement((), tuple(map(Diagnostic.of_fault, error.faults)))
    expected = Expectation(moment=datetime.now(timezone.utc), window=timedelta(0))
    identities = tuple(describe_identity(each, expected) for each in generation.identities)
    hosts = tuple(dict.fromkeys(each.identifier for each in reading.settings.rules))
    return Judgement(identities, tuple(_found(reading, generation, expected)), hosts)


def _structure(wanted: Wanted, password: Secret[str] | None) -> dict[str, object]:
    entry: dict[str, object] = {"name": wanted.name, **dict(wanted.material)}
    if password is not None:
        entry["password"] = password
    if wanted.hosts:
        entry["hosts"] = list(wanted.hosts)
    rest = {"unlisted_hosts": "none"} if wanted.hosts else {}
    return {"identity": [entry], "ca": list(wanted.authorities), **rest}


def _found(reading: Reading, generation: Generation, expected: Expectation) -> Iterator[Diagnostic]:
    for identity in generation.identities:
        yield from check_identity(identity, expected)
    yield from check_rules(generation, expected.moment)
    yield from check_files(reading)
    yield from map(Diagnostic.of_warning, reading.warnings)
