"""Tells of a failed connection, once: a note on its exception, one log record, and a count.

The exception stays what it is, its type and its text included; notes are PEP 678's, from Python
3.11 on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ..identity import Identity
from ..monitoring import count_failure, count_refusal
from .note import Failure, note_lines

_logger = logging.getLogger("mxcert_runtime")

#: the kind of failure that is none of :class:`~.alerts.AlertKind`
CLOSED_WITHOUT_ANSWER = "closed-without-answer"

#: what every note begins with
_MARK = "mxcert_runtime: "
#: Exceptions that are looked through at most; libraries wrap two or three times.
_DEPTH = 8


def report_failure(error: BaseException, failure: Failure) -> None:
    """Count the failure, and say what is known of it where it may be one of certificates."""
    count_failure(failure.alert.kind.value)
    if not failure.concerns_certificates:
        return
    lines = note_lines(failure)
    count_refusal(failure.alert.name)
    _tell(error, lines)


def report_missing_signature(error: BaseException, identities: Iterable[Identity]) -> None:
    """Say whose key may not have signed; nobody knows it where there is none of ours."""
    names = ", ".join(repr(each.name) for each in identities)
    if names:
        _tell(
            error,
            [
                f"OpenSSL could not finish the handshake, in which the key of {names} signs",
                "if it is in a token: see that the token is there, by `mxcert check --sign`",
            ],
        )


def _tell(error: BaseException, lines: list[str]) -> None:
    # Any, since `add_note` is unknown to the types of Python 3.9.
    add_note: Any = getattr(error, "add_note", None)
    if add_note is not None:
        add_note(_MARK + "\n  ".join(lines))
    _logger.warning("%s", " | ".join(lines))


def count_silent_end() -> None:
    """Count a connection of TLS 1.3 that its server ended before it had said anything.

    Some servers refuse a client certificate in this way, and to others there was nothing to say:
    it is for whoever looks at the numbers to judge, and no error.
    """
    count_failure(CLOSED_WITHOUT_ANSWER)


def repeat_note(error: BaseException, told: BaseException) -> None:
    """Note on a further error of the same failure what was told of it."""
    add_note: Any = getattr(error, "add_note", None)
    for note in getattr(told, "__notes__", ()):
        if add_note is not None and _is_ours(note):
            add_note(note)


def is_noted(error: BaseException | None) -> bool:
    """Whether an exception has a note of ours; never before Python 3.11."""
    return any(map(_is_ours, getattr(error, "__notes__", ())))


def show_cause(error: BaseException, cause: BaseException | None) -> None:
    """Chain an exception that a library made to its cause, if a note there would not be seen."""
    if error.__cause__ is None and _cause_with_note(cause) is not None:
        error.__cause__ = cause


def sum_up(error: BaseException) -> None:
    """Note on the outermost error of a failure why it failed, in one line.

    It is the last that a traceback prints, and what was told of the failure may stand pages above.
    """
    add_note: Any = getattr(error, "add_note", None)
    if add_note is None or is_noted(error):
        return
    cause = _cause_with_note(error)
    if cause is not None:
        headline = next(filter(_is_ours, cause.__notes__)).partition("\n")[0]
        add_note(f"{headline}; above, at {type(cause).__name__}, and in the log is all of it")


def _cause_with_note(error: BaseException | None) -> BaseException | None:
    for _ in range(_DEPTH):
        if error is None or is_noted(error):
            break
        error = error.__cause__ or error.__context__
    return error if is_noted(error) else None


def _is_ours(note: object) -> bool:
    return str(note).startswith(_MARK)


def report_own_fault(fault: Exception) -> None:
    """Say that explaining failed: the application gets its own exception all the same."""
    _logger.debug("a failed connection cannot be explained: %r", fault)
