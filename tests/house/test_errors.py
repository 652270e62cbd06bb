"""Errors carry data, and their text is made of it."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from mxcert_runtime import errors
from mxcert_runtime.errors import (
    Fault,
    HostNameError,
    IdentityError,
    IdentityProblem,
    MxcertError,
    SettingsError,
)

FAULTS = (
    Fault("MXCERT_CONFIG", "names no file", "Write the file"),
    Fault("a.toml, line 3", "has a typing error", "Correct it"),
)
IDENTITY_ERROR = IdentityError(
    IdentityProblem.WRONG_PASSWORD_OR_DAMAGED,
    "the password of 'a.p12' is wrong",
    "Give the right one",
)


def test_every_error_has_the_same_base() -> None:
    """Who catches MxcertError catches all errors of the package."""
    found = [each for each in vars(errors).values() if isinstance(each, type)]
    found = [each for each in found if issubclass(each, BaseException)]
    expected = {"MxcertError", "SettingsError", "IdentityError", "HostNameError", "PatchError"}
    expected |= {
        "SubinterpreterError",
        "UnsupportedPythonError",
        "MaterialError",
        "NoIdentityError",
        "MaterialClosedError",
    }
    assert expected == {each.__name__ for each in found}
    assert [] == [each for each in found if not issubclass(each, MxcertError)]
    assert not issubclass(MxcertError, (OSError, ImportError))


def test_text_of_a_fault() -> None:
    """Where it stands, what it is, what to do."""
    assert "MXCERT_CONFIG: names no file. Write the file." == str(FAULTS[0])


def test_text_of_a_hostile_fault() -> None:
    """What a setting holds makes no second line of a log, and gives a terminal no orders."""
    fault = Fault("USAGES", "'a\nERROR \x1b[31m' is no host \u202e", "Correct it")
    expected = "USAGES: 'a\\nERROR \\x1b[31m' is no host \\u202e. Correct it."
    assert expected == str(fault)


def test_text_of_one_fault() -> None:
    """One fault is not called many."""
    expected = (
        "1 fault in the settings; nothing was activated:\n"
        "  - MXCERT_CONFIG: names no file. Write the file."
    )
    assert expected == str(SettingsError(FAULTS[:1]))


def test_text_of_many_faults() -> None:
    """Every fault has a line, in the order in which they were found."""
    lines = str(SettingsError(FAULTS)).splitlines()
    assert "2 faults in the settings; nothing was activated:" == lines[0]
    assert [f"  - {fault}" for fault in FAULTS] == lines[1:]


def test_faults_are_data() -> None:
    """The faults come from any iterable, and go as JSON."""
    error = SettingsError(iter(FAULTS))
    assert FAULTS == error.faults
    expected = {"origin": "MXCERT_CONFIG", "problem": "names no file", "remedy": "Write the file"}
    assert expected == json.loads(json.dumps(error.as_data()))[0]
    assert 2 == len(error.as_data())


def test_identity_error() -> None:
    """The problem is data; the text says it with the remedy."""
    assert IdentityProblem.WRONG_PASSWORD_OR_DAMAGED is IDENTITY_ERROR.problem
    assert "the password of 'a.p12' is wrong. Give the right one." == str(IDENTITY_ERROR)


def test_host_name_error() -> None:
    """The text is quoted, so that a blank or a control character is seen."""
    error = HostNameError("a b\n", "is not a host name", "Write another")
    assert "'a b\\n' is not a host name. Write another." == str(error)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    "error",
    [SettingsError(FAULTS), IDENTITY_ERROR, HostNameError("a b", "is none", "Write another")],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_sent(error: MxcertError) -> None:
    """Workers of a process pool hand errors over by pickle: text and data survive it."""
    for sent in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert (type(error), str(error)) == (type(sent), str(sent))
        assert vars(error) == vars(sent)


def test_faults_are_values() -> None:
    """A fault can be compared and cannot be changed."""
    assert FAULTS[0] == Fault("MXCERT_CONFIG", "names no file", "Write the file")
    assert FAULTS[0] != FAULTS[1]
    with pytest.raises(AttributeError):
        FAULTS[0].origin = "another"  # type: ignore[misc]
