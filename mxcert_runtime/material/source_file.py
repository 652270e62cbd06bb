"""Reads a file of keys or certificates whole, once, and keeps what it holds out of sight.

What cannot be read is an error with the operating system's own reason.
"""

from __future__ import annotations

import errno

from ..errors import IdentityError, IdentityProblem
from ..secret import Secret

#: No key file comes near it; a wrong path to a log or an image does.
MAX_BYTES = 10 * 1024 * 1024

_REMEDIES = {
    errno.ENOENT: "Correct the path, or put the file there",
    errno.EACCES: "Let the user that runs this program read the file",
    errno.EPERM: "Let the user that runs this program read the file",
    errno.EISDIR: "Name the file itself, not the directory that it is in",
}


def read_file(path: str) -> Secret[bytes]:
    """The content of the file.

    Raises :class:`IdentityError` with ``UNREADABLE``.
    """
    content, reason, code = _read(path)
    if content is None:
        remedy = _REMEDIES.get(code, "Make the file readable, or name another one")
        raise IdentityError(
            IdentityProblem.UNREADABLE, f"{path!r} cannot be read: {reason}", remedy
        )
    refuse_size(content, repr(path))
    return content


def refuse_size(content: Secret[bytes], label: str) -> None:
    """Raise :class:`IdentityError` for content beyond :data:`MAX_BYTES`, or for none at all."""
    if not content:
        message, remedy = f"{label} is empty", "Put the content in, or take the setting out"
        raise IdentityError(IdentityProblem.DAMAGED, message, remedy)
    if len(content.reveal()) > MAX_BYTES:
        message = f"{label} is larger than {MAX_BYTES // 1024**2} MiB, too large for certificates"
        remedy = "Name the file that holds the certificates"
        raise IdentityError(IdentityProblem.UNREADABLE, message, remedy)


def _read(path: str) -> tuple[Secret[bytes] | None, str, int]:
    try:
        with open(path, "rb") as file:
            return Secret(file.read(MAX_BYTES + 1)), "", 0
    except OSError as error:
        return None, error.strerror or type(error).__name__, error.errno or 0
    except ValueError as error:  # a NUL in the path
        return None, str(error), 0
