"""What the application was told of a failure: the note on its exception, and the log."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

LOGGER = "mxcert_runtime"
#: notes are PEP 678's
HAS_NOTES = sys.version_info >= (3, 11)
_MARK = "mxcert_runtime: "


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings that were logged."""
    records = [each for each in caplog.records if each.name == LOGGER]
    return [each.getMessage() for each in records if each.levelno >= logging.WARNING]


def facts_of(message: str) -> dict[str, str]:
    """The facts of a logged failure by their names; the headline's is ``""``."""
    headline, *facts = message.split(" | ")
    return {"": headline, **dict(fact.split(": ", 1) for fact in facts)}


def told_of(error: BaseException, caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """The facts that were told: one record, and the very same words on the exception."""
    warnings = warnings_of(caplog)
    assert len(warnings) == 1
    if HAS_NOTES:
        assert [_MARK + warnings[0].replace(" | ", "\n  ")] == notes_of(error)
    return facts_of(warnings[0])


def notes_of(error: BaseException) -> list[str]:
    """The notes of an exception itself; none before Python 3.11."""
    notes: list[str] = getattr(error, "__notes__", [])
    return notes


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that a printed traceback shows with it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def printed(error: BaseException) -> str:
    """The traceback as Python prints it."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(lines)


def as_it_is(error: BaseException) -> tuple[Any, ...]:
    """What must be the same with and without the plugin."""
    number, reason = getattr(error, "errno", None), getattr(error, "reason", None)
    return type(error), str(error), repr(error), error.args, number, reason
