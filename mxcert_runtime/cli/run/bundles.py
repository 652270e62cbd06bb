"""Files that bring a whole environment along and set it up as they start: those of pex and shiv.

What the Python that runs them has installed says nothing about what runs in them, so they are
asked themselves: each can be made to be an interpreter of its own environment.
"""

from __future__ import annotations

import os
import zipfile

#: what is in them, and the variable that makes an interpreter of them
_PEX_CONTENT, _PEX = "PEX-INFO", "PEX_INTERPRETER"
_SHIV_CONTENT, _SHIV = "_bootstrap/__init__.py", "SHIV_INTERPRETER"


def interpreter_variable(path: str) -> str | None:
    """The variable that turns a bundle into its own interpreter; ``None`` for any other file."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    if os.path.isfile(os.path.join(folder, _PEX_CONTENT)):  # one that is not packed
        return _PEX
    names = _names_in(path)
    if _PEX_CONTENT in names:
        return _PEX
    return _SHIV if _SHIV_CONTENT in names else None


def _names_in(path: str) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile):
        return []
