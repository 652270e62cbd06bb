"""Writes new files, all or none of them; what holds a secret is its owner's alone from the start.

A file that is there is left as it is, unless the user has said that it is to be overwritten.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Sequence

from ...base import Secret, dataclass, reason_of, write_all
from ...settings import PUBLISHED, schema_text

_SECRET_MODE, _PUBLIC_MODE = 0o600, 0o644
_SECRET_FOLDER_MODE = 0o700


class NotWrittenError(Exception):
    """A file that cannot be written, or is there already; the message says which and what to do."""


@dataclass(frozen=True)
class NewFile:
    """A file to be written."""

    path: str
    content: Secret[bytes]
    is_secret: bool

    @classmethod
    def of_text(cls, path: str, text: Secret[str], *, is_secret: bool = False) -> NewFile:
        """One with a text."""
        return cls(path, Secret(text.reveal().encode()), is_secret)


def file_of_password(path: str, password: Secret[str]) -> NewFile:
    """One that is read as this password: a newline at the end is no part of it."""
    is_kept = password.reveal().endswith("\r")
    return NewFile.of_text(
        path, Secret(password.reveal() + ("" if is_kept else "\n")), is_secret=True
    )


def schema_beside(path: str) -> list[NewFile]:
    """The JSON Schema where a settings file at this path looks for it, unless it is there."""
    place = os.path.join(os.path.dirname(path), PUBLISHED)
    if os.path.lexists(place):
        return []
    return [NewFile.of_text(place, Secret(schema_text()))]


def write_files(files: Sequence[NewFile], *, force: bool) -> None:
    """Write all of them, or none. Raises :class:`NotWrittenError`."""
    _refuse_existing([each.path for each in files], force)
    asides = [(_aside(each.path), each) for each in files]
    placed: list[str] = []
    try:
        for aside, each in asides:
            _write_aside(aside, each)
        for aside, each in asides:
            _put_in_place(aside, each.path, force, placed)
    except BaseException:
        # An interruption by the user too: what is there was there before, or nothing is.
        _remove(placed)
        raise
    finally:
        _remove([aside for aside, _ in asides])


def _remove(paths: Iterable[str]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _refuse_existing(paths: Iterable[str], force: bool) -> None:
    seen: set[str] = set()
    for path in paths:
        if path in seen:
            raise NotWrittenError(f"`{path}` would be written twice. Choose another path.")
        seen.add(path)
        is_there = os.path.lexists(path)
        if is_there and os.path.exists(path) and not os.path.isfile(path):
            raise NotWrittenError(f"`{path}` is a folder or a device. Name a file.")
        if is_there and not force:
            raise NotWrittenError(_exists(path))


def _exists(path: str) -> str:
    return f"`{path}` is there already. Choose another path, or say --force to overwrite it."


def _aside(path: str) -> str:
    """A path beside it, for the whole content: nobody sees a half-written file."""
    return os.path.join(os.path.dirname(path) or ".", f".mxcert-{secrets.token_hex(8)}")


def _write_aside(aside: str, file: NewFile) -> None:
    try:
        if file.is_secret:
            os.makedirs(os.path.dirname(aside), _SECRET_FOLDER_MODE, exist_ok=True)
        # The user's umask counts for what holds no secret; what holds one is never more open.
        mode = _SECRET_MODE if file.is_secret else _PUBLIC_MODE
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb", buffering=0) as stream:
            write_all(stream, file.content)
    except OSError as error:
        problem = f"`{file.path}` cannot be written: {reason_of(error)}"
    else:
        return
    raise NotWrittenError(f"{problem}. Choose a path where this user may write.")


def _put_in_place(aside: str, path: str, force: bool, placed: list[str]) -> None:
    """Rename it to the path, which joins ``placed`` where nothing was there."""
    try:
        if force:
            # The file that a link leads to, and not the link.
            path = os.path.realpath(path)
        else:
            # A renaming would overwrite what has come there in the meantime.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_MODE))
            placed.append(path)
        os.replace(aside, path)
    except FileExistsError:
        problem = _exists(path)
    except OSError as error:
        problem = f"`{path}` cannot be written: {reason_of(error)}. Choose another path."
    else:
        return
    raise NotWrittenError(problem)
