"""The build of Python: one without a GIL is refused, since nothing is tested on one.

What is counted, kept and swapped in one step of the interpreter is one step by the GIL; without it
an identity might be taken for another. It imports nothing that a bare interpreter has not loaded.
"""

from __future__ import annotations

import sys

#: what `sys.version` says of such a build, on every system (HOWTO "free-threading-python")
_MARK = "free-threading build"


def is_free_threaded(version: str = sys.version) -> bool:
    """Whether a build can run without a GIL, be it that this process has one all the same."""
    return _MARK in version


def refuse_free_threading(version: str = sys.version) -> None:
    """Raise :class:`~.errors.UnsupportedPythonError` on a build that can run without a GIL."""
    if is_free_threaded(version):
        from ..errors import UnsupportedPythonError

        raise UnsupportedPythonError(" ".join(version.split()))
