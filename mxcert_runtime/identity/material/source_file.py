"""Reads a file of keys or certificates whole, once, and keeps what it holds out of sight.

What cannot be read is an error with the operating system's own reason; what is no file, such as a
device or a pipe into which nobody writes, is one at once.
"""

from __future__ import annotations

import errno

from ...base import (
    MAX_BYTES,
    Secret,
    hidden_text,
    looks_like_path,
    read_bounded,
    reason_of,
    remedy_of,
)
from ...errors import IdentityError, IdentityProblem

_TOO_LARGE = "Name the file that holds the certificates"


def read_file(path: str) -> Secret[bytes]:
    """The content of the file.

    Raises :class:`IdentityError` with ``UNREADABLE``.
    """
    label = repr(path) if looks_like_path(path) else f"the file {hidden_text(path)},"
    content, reason, remedy = _read(path)
    if content is None:
        message = f"{label} cannot be read: {reason}"
        raise IdentityError(IdentityProblem.UNREADABLE, message, remedy)
    refuse_size(content, label)
    return content


def refuse_size(content: Secret[bytes], label: str) -> None:
    """Raise :class:`IdentityError` for content beyond :data:`MAX_BYTES`, or for none at all."""
    if not content:
        message, remedy = f"{label} is empty", "Put the content in, or take the setting out"
        raise IdentityError(IdentityProblem.DAMAGED, message, remedy)
    if len(content.reveal()) > MAX_BYTES:
        message = f"{label} is larger than {MAX_BYTES // 1024**2} MiB, too large for certificates"
        raise IdentityError(IdentityProblem.UNREADABLE, message, _TOO_LARGE)


def _read(path: str) -> tuple[Secret[bytes] | None, str, str]:
    """The content, or else why there is none, and what to do."""
    try:
        return read_bounded(path), "", ""
    except OSError as error:
        remedy = _TOO_LARGE if error.errno == errno.EFBIG else remedy_of(path, error)
        return None, reason_of(error), remedy
    except ValueError as error:  # a NUL in the path
        return None, str(error), remedy_of(path, error)
