"""Variables that hold one path each: which they are, and what they say to a process elsewhere.

A process that starts in another folder must find what its parent has read.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..base import Origin
from . import names
from .draft import Place
from .files import resolved
from .scalars import WITH_FILE

_NAMES = (names.CONFIG, *(name + names.FILE_SUFFIX for name in WITH_FILE))


def settled_paths(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """Those that are set, each with its path as seen from ``folder``, whatever was written."""
    return {
        name: resolved(environ[name], Place(Origin.variable(name), folder, environ))
        for name in _NAMES
        if environ.get(name)
    }
