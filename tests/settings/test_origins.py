"""A reading says where each single value stands, and which files were read for it."""

from __future__ import annotations

from pathlib import Path

from mxcert_runtime.base.faults import Origin
from mxcert_runtime.settings.model import Reading, SettingsFile
from tests.settings.readings import read, read_file


def origins(reading: Reading) -> dict[str, str]:
    """The origins as text."""
    return {key: str(origin) for key, origin in reading.origins}


def test_single_values_of_the_environment(tmp_path: Path) -> None:
    """The variable, or the variable that names its file; what is not set has no origin."""
    (tmp_path / "value").write_text("none")
    reading = read(
        {"MXCERT_UNLISTED_HOSTS_FILE": str(tmp_path / "value"), "MXCERT_SERVICES": '{"A.B": "c"}'}
    )
    assert {
        "unlisted_hosts": "environment variable MXCERT_UNLISTED_HOSTS_FILE",
        "services": "environment variable MXCERT_SERVICES",
    } == origins(reading)
    file = SettingsFile(
        str(tmp_path / "value"), Origin("environment variable MXCERT_UNLISTED_HOSTS_FILE")
    )
    assert (file,) == reading.files


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """Each value has the origin of the source that it is from."""
    text = 'unlisted_hosts = "none"\nexpired_identities = "warn"\n'
    reading = read_file(tmp_path, "mxcert.toml", text, MXCERT_UNLISTED_HOSTS="offer")
    path = tmp_path / "mxcert.toml"
    assert {
        "unlisted_hosts": "environment variable MXCERT_UNLISTED_HOSTS",
        "expired_identities": f"{path}, expired_identities",
    } == origins(reading)
    assert [(str(path), "environment variable MXCERT_CONFIG")] == [
        (file.path, str(file.origin)) for file in reading.files
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """The twin: a file that is not there is a fault, and was not read."""
    reading = read({"MXCERT_CONFIG": str(tmp_path / "missing.toml")})
    assert (1, ()) == (len(reading.faults), reading.files)


def test_readings_are_compared_by_what_they_say(tmp_path: Path) -> None:
    """Where values stand makes no two settings of one."""
    by_file = read_file(tmp_path, "mxcert.toml", 'unlisted_hosts = "none"')
    assert by_file == read({"MXCERT_UNLISTED_HOSTS": "none"})
    assert by_file != read({"MXCERT_UNLISTED_HOSTS": "offer"})
