"""Text files that settings name, and the paths in them; certificates are read elsewhere."""

from __future__ import annotations

import os
import re

from ..secret import Secret
from .draft import Findings
from .model import Origin, SettingsFile

# Settings written on Windows keep their paths here too, so that messages show what was written.
_WINDOWS_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_LONGEST_SHOWN = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def read_text(path: str, origin: Origin, findings: Findings) -> Secret[str] | None:
    """The UTF-8 text of a file; else ``None`` and a fault at the setting that names the file."""
    if not is_path(path, origin, findings):
        return None
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = Secret(file.read())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        findings.fault(
            origin,
            f"names the file {shown_path(path)}, which cannot be read: {reason}",
            "Name a file that this process may read",
        )
    except ValueError:
        findings.fault(
            origin,
            f"names the file {shown_path(path)}, which is no UTF-8 text",
            "Write the file as UTF-8 text",
        )
    else:
        findings.files.append(SettingsFile(path, origin))
        return text
    return None


def read_value(path: str, origin: Origin, findings: Findings) -> Secret[str] | None:
    """The value that a file holds: its text without a single newline at the end."""
    text = read_text(path, origin, findings)
    return None if text is None else Secret(_without_newline(text.reveal()))


def _without_newline(text: str) -> str:
    if text.endswith("\r\n"):
        return text[:-2]
    return text[:-1] if text.endswith("\n") else text


def resolved(folder: str, path: str) -> str:
    """The path as seen from a folder; ``""`` leaves it relative to the working directory."""
    if not folder or os.path.isabs(path) or _WINDOWS_ABSOLUTE.match(path):
        return path
    return os.path.join(folder, path)


def shown_path(path: str) -> str:
    """A path as faults show it; what is too long for one may be key material put in its place."""
    return f"`{path}`" if len(path) <= _LONGEST_SHOWN else f"of {len(path)} characters"


def is_path(path: str, origin: Origin, findings: Findings) -> bool:
    """Whether a text can be a path; the fault says what a lost backslash looks like."""
    if not _CONTROL.search(path):
        return True
    findings.fault(
        origin,
        "holds a path with a control character",
        r"Write a path, not what the file holds; where a backslash is an escape, as in JSON,"
        r" double it: `D:\\new\\Mx1.pfx`",
    )
    return False
