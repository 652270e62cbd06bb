"""Paths in what we write: what may be a password that was put in a path's place is not shown.

That happens: a value of one setting in another, or a password where the name of its file belongs.
"""

from __future__ import annotations

import os
import re

from .late_patterns import late_pattern

_LONGEST_SHOWN = 300
#: what stands in a PKCS#11 URI in front of a PIN
_PIN = "pin-value"
#: what begins at a root, at a drive, or says that it is a path
_ROOTS = ("/", "~/", "./", "../", ".\\", "..\\", "\\\\")
_DRIVE = late_pattern(r"[A-Za-z]:[\\/]")
_KNOWN_END = late_pattern(
    r"\.(p12|pfx|pem|crt|cer|der|key|txt|pw|pwd|pass|password|secret|toml|json|ya?ml|log|cfg|conf)",
    re.IGNORECASE,
)


def looks_like_path(text: str) -> bool:
    """Whether a text is a path rather than a password, as far as one can tell from it.

    A path that leads to something, be it only a folder, is one; so is one in quotes, which is a
    mistake of its own.
    """
    text = text.strip("\"'`")
    if len(text) > _LONGEST_SHOWN or _PIN in text:
        return False
    if (
        text.startswith(_ROOTS)
        or _DRIVE.match(text)
        or _KNOWN_END.fullmatch(os.path.splitext(text)[1])
    ):
        return True
    return _is_there(text) or _is_there(os.path.dirname(text))


def _is_there(path: str) -> bool:
    try:
        return bool(path) and os.path.lexists(path)
    except (OSError, ValueError):
        return False


def hidden_text(text: str) -> str:
    """What is said of a text that is not shown."""
    return f"of {len(text)} characters, which may be a password and is not shown"
