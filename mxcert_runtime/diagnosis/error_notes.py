"""Notes of ours on exceptions: that of a failure is found again, on whatever wraps or repeats it.

They are PEP 678's, from Python 3.11 on; before, errors have none.
"""

from __future__ import annotations

from typing import Any

from ..base import logger as _logger

#: what every note begins with
_MARK = "mxcert_runtime: "
#: Exceptions that are looked through at most; libraries wrap two or three times.
_DEPTH = 8


def note_on(error: BaseException, lines: list[str]) -> None:
    """Note on an error what is told of it, below a headline."""
    # Any, since `add_note` is unknown to the types of Python 3.9.
    add_note: Any = getattr(error, "add_note", None)
    if add_note is not None:
        add_note(_MARK + "\n  ".join(lines))


def repeat_note(error: BaseException, told: BaseException) -> None:
    """Note on a further error of the same failure what was told of it."""
    add_note: Any = getattr(error, "add_note", None)
    for note in _notes_of(told):
        if add_note is not None:
            add_note(note)


def show_cause(
    error: BaseException, cause: BaseException | None, handled: BaseException | None = None
) -> None:
    """Chain an exception that a library made to its cause, if a note there would not be seen.

    ``handled`` is as in :func:`sum_up`.
    """
    if error.__cause__ is None and _cause_with_note(cause, handled) is not None:
        error.__cause__ = cause


def sum_up(error: BaseException, handled: BaseException | None) -> None:
    """Note on the outermost error of a failure why it failed, in one line; never fails itself.

    It is the last that a traceback prints, and what was told of the failure may stand pages above.
    ``handled`` is what the program was handling already when it made the call: Python chains that
    behind all that fails within, and it says nothing of this failure.
    """
    try:
        _sum_up(error, handled)
    except Exception as fault:  # notes and chains are anybody's to change
        report_own_fault(fault)


def _sum_up(error: BaseException, handled: BaseException | None) -> None:
    add_note: Any = getattr(error, "add_note", None)
    if add_note is None or _notes_of(error):
        return
    cause = _cause_with_note(error, handled)
    if cause is not None:
        headline = _notes_of(cause)[0].partition("\n")[0]
        add_note(f"{headline}; above, at {type(cause).__name__}, and in the log is all of it")


def _cause_with_note(
    error: BaseException | None, handled: BaseException | None
) -> BaseException | None:
    for _ in range(_DEPTH):
        if error is None or error is handled:
            return None
        if _notes_of(error):
            return error
        error = error.__cause__ or error.__context__
    return None


def _notes_of(error: BaseException) -> list[str]:
    """Those of ours; none before Python 3.11. Programs may have put anything in their place."""
    notes = getattr(error, "__notes__", None)
    notes = notes if isinstance(notes, list) else []
    return [note for note in notes if isinstance(note, str) and note.startswith(_MARK)]


def report_own_fault(fault: Exception) -> None:
    """Say that explaining failed: the application gets its own exception all the same."""
    _logger.debug("a failed connection cannot be explained: %r", fault)
