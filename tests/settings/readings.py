"""Shortcuts to a reading and to what it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mxcert_runtime.errors import Fault
from mxcert_runtime.settings.loading import read_settings
from mxcert_runtime.settings.model import Reading

NO_FILE = "/nonexistent/mxcert.toml"


def read(environ: Mapping[str, str], default_file: str = NO_FILE) -> Reading:
    """The reading of an environment on a machine without a default file."""
    return read_settings(environ, default_file=default_file)


def read_file(folder: Path, name: str, text: str, **environ: str) -> Reading:
    """The reading of a file that ``MXCERT_CONFIG`` names."""
    (folder / name).write_text(text, encoding="utf-8")
    return read({"MXCERT_CONFIG": str(folder / name), **environ})


def sound(reading: Reading) -> Reading:
    """The reading, which must have no faults."""
    assert () == reading.faults
    return reading


def only_fault(reading: Reading) -> Fault:
    """The fault of a reading that must have exactly one."""
    assert 1 == len(reading.faults), reading.faults
    return reading.faults[0]


def only_warning(reading: Reading) -> Fault:
    """The warning of a reading that must have exactly one, and no fault."""
    assert 1 == len(sound(reading).warnings), reading.warnings
    return reading.warnings[0]


def names_and_passwords(reading: Reading) -> list[tuple[str, str | None]]:
    """Each identity's name, and its password or ``None`` where none is given."""
    return [
        (one.name, None if one.password is None else one.password.reveal())
        for one in reading.settings.identities
    ]


def rules(reading: Reading) -> list[tuple[str, str | None]]:
    """Each rule's identifier and identity."""
    return [(one.identifier, one.identity) for one in reading.settings.rules]
