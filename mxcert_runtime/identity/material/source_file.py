"""Reads a file of keys or certificates whole, once, and keeps what it holds out of sight.

What cannot be read is an error with the operating system's own reason; what is no file, such as a
device or a pipe into which nobody writes, is one at once.
"""

from __future__ import annotations

import errno

from ...base import MAX_BYTES, Secret, read_bounded
from ...errors import IdentityError, IdentityProblem

_TOO_LARGE = "Name the file that holds the certificates"


def read_file(path: str) -> Secret[bytes]:
    """The content of the file.

    Raises :class:`IdentityError` with ``UNREADABLE``.
    """
    content, reason, remedy = _read(path)
    if content is None:
        message = f"{_label(path)} cannot be read: {reason}"
        raise IdentityError(IdentityProblem.UNREADABLE, message, remedy)
    if not 0 < len(content.reveal()) <= MAX_BYTES:
        refuse_size(content, _label(path))
    return content


def _label(path: str) -> str:
    """What errors call a file; a text that is no path may be a password in the wrong place."""
    from ...base import hidden_text, looks_like_path

    return repr(path) if looks_like_path(path) else f"the file {hidden_text(path)},"


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
        return None, *_explained(path, error)
    except ValueError as error:  # a NUL in the path
        return None, *_explained(path, error)


def _explained(path: str, error: OSError | ValueError) -> tuple[str, str]:
    """The reason and what to do."""
    from ...base import reason_of, remedy_of

    if isinstance(error, ValueError):
        return str(error), remedy_of(path, error)
    too_large = error.errno == errno.EFBIG
    return reason_of(error), _TOO_LARGE if too_large else remedy_of(path, error)
