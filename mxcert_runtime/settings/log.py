"""``MXCERT_LOG``: a level, or ``level:file``, for programs that configure no logging themselves.

It is about the process, and so it also counts where the other settings are an argument.
"""

from __future__ import annotations

import os

from ..base import Origin
from . import names
from .draft import Place
from .files import is_path, shown_path
from .model import LogLevel, LogSettings
from .values import choice_of

ORIGIN = Origin.variable(names.LOG)


def log_settings_of(place: Place) -> LogSettings | None:
    """What the variable in the environment of a place says; ``None``: not set, or a fault."""
    text = place.environ.get(names.LOG, "").strip()
    if not text:
        return None
    place = Place(ORIGIN, findings=place.findings)
    # The first colon alone: a path on Windows has another.
    word, colon, path = (part.strip() for part in text.partition(":"))
    level = choice_of(LogLevel, word, place)
    if colon and not _is_writable(path, place):
        return None
    return LogSettings(level, path or None) if level else None


def unwritable(path: str, reason: str) -> tuple[str, str]:
    """Problem and remedy where a log file cannot be written."""
    problem = f"names the file {shown_path(path)}, which cannot be written: {reason}"
    return problem, "Name a file that this process may write, or none for standard error"


def _is_writable(path: str, place: Place) -> bool:
    """Whether the file can be written, as far as that shows without making it.

    Whoever only checks settings may be another user than the one who will write the file.
    """
    if not path:
        remedy = "Write `level:file`, or the level alone for standard error"
        place.fault("names no file behind the colon", remedy)
        return False
    if not is_path(path, place):
        return False
    reason = _obstacle(path)
    if reason:
        place.fault(*unwritable(path, reason))
    return not reason


def _obstacle(path: str) -> str | None:
    if os.path.isdir(path):
        return "it is a directory"
    folder = os.path.dirname(path) or os.curdir
    return None if os.path.isdir(folder) else "its directory does not exist"
