"""Errors that tell of the process or the machine at this moment, and of nothing that was asked for.

Out of descriptors or memory, nothing has been learnt of a file: whoever takes that for "it is not
there" or "it has changed" is wrong for good.
"""

from __future__ import annotations

import errno

_MOMENTARY = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN, errno.ENOBUFS}
)


def is_momentary(error: OSError) -> bool:
    """Whether the same may succeed the next time, with nothing but the moment changed."""
    return error.errno in _MOMENTARY
