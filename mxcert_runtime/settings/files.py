"""Text files that settings name, and the paths in them; certificates are read elsewhere."""

from __future__ import annotations

import codecs
import os

from ..base import (
    MAX_BYTES,
    Secret,
    hidden_text,
    late_pattern,
    looks_like_path,
    read_bounded,
    reason_of,
    remedy_of,
)
from . import names
from .draft import Place
from .model import SettingsFile

# Settings written on Windows keep their paths here too, so that messages show what was written.
_WINDOWS_ABSOLUTE = late_pattern(r"[A-Za-z]:[\\/]|\\\\")
#: what systemd passes to a service (LoadCredential=), by name: systemd.exec(5), "Credentials"
_CREDENTIAL, _CREDENTIALS_DIRECTORY = "credential:", "CREDENTIALS_DIRECTORY"
#: what the PIN in a PKCS#11 URI is called (RFC 7512)
_PIN = "pin-value="
#: PEM, or the base64 of DER, which no path is
_BEGIN, _LEAST = "-----BEGIN ", 300
_CONTENT = late_pattern(rf"\s*{_BEGIN}|MI[A-Za-z0-9+/=\s]{{{_LEAST},}}\Z")
_CONTROL = late_pattern(r"[\x00-\x1f\x7f]")


def read_text(
    path: str,
    place: Place,
    *,
    written: str | None = None,
    limit: int = MAX_BYTES,
) -> Secret[str] | None:
    """The UTF-8 text of a file; else ``None`` and a fault at the setting that names the file.

    ``written`` is the path as it stands in the setting, ``limit`` the bytes that are read at most.
    """
    if not is_path(path, place):
        return None
    try:
        content = read_bounded(path, limit)
    except (OSError, ValueError) as error:
        reason = reason_of(error)
        problem = f"names the file {shown_path(path, written)}, which cannot be read: {reason}"
        place.fault(problem, remedy_of(path, error))
        return None
    text = _decoded(content)
    if text is None:
        problem = f"names the file {shown_path(path, written)}, which is no UTF-8 text"
        place.fault(problem, "Write the file as UTF-8 text")
        return None
    place.findings.files.append(SettingsFile(path, place.origin))
    return text


def _decoded(content: Secret[bytes]) -> Secret[str] | None:
    # UTF-16 without its mark can be read as UTF-8, with a NUL beside each letter.
    if b"\0" in content.reveal():
        return None
    try:
        return Secret(content.reveal().removeprefix(codecs.BOM_UTF8).decode())
    except UnicodeDecodeError:
        return None


def read_value(path: str, place: Place, *, written: str | None = None) -> Secret[str] | None:
    """The value that a file holds: its text without a single newline at the end."""
    text = read_text(path, place, written=written)
    return None if text is None else Secret(_without_newline(text.reveal()))


def _without_newline(text: str) -> str:
    if text.endswith("\r\n"):
        return text[:-2]
    return text[:-1] if text.endswith("\n") else text


def resolved(path: str, place: Place) -> str:
    """The path as seen from the folder of a place, which may be the working directory.

    ``credential:NAME`` is what systemd gives the service under that name. Only for what
    :func:`is_path` says is one.
    """
    given = place.environ.get(_CREDENTIALS_DIRECTORY)
    if path.startswith(_CREDENTIAL) and given:
        return os.path.join(given, path[len(_CREDENTIAL) :])
    if not place.folder or os.path.isabs(path) or _WINDOWS_ABSOLUTE.match(path):
        return path
    return os.path.join(place.folder, path)


def folder_of(path: str) -> str:
    """The folder that relative paths in a file are relative to."""
    try:
        return os.path.dirname(os.path.abspath(path))
    except (OSError, ValueError):  # the working directory is gone, or a NUL in the path
        return os.path.dirname(path)


def shown_path(path: str, written: str | None = None) -> str:
    """A path as faults show it, unless what was written for it may be a password or a key."""
    text = path if written is None else written
    return f"`{path}`" if looks_like_path(text) else hidden_text(text)


def is_path(path: str, place: Place) -> bool:
    """Whether a text can be a path; the fault says what a lost backslash looks like."""
    if _PIN in path.lower():
        # A path is shown wherever its file is spoken of.
        place.fault(
            "holds a PIN where a path is to stand, and is not shown",
            "Write a URI with a PIN as `key`, from its very start `pkcs11:` and with its `?` in"
            " front of `pin-value`; better, give the PIN by `pin_file` or `pin_env`",
        )
        return False
    if (_BEGIN in path or len(path) > _LEAST) and _CONTENT.match(path):
        place.fault(
            "holds what a file of certificates or keys holds, in the place of its path",
            "Put it into a file and write its path; a PKCS12 itself goes into"
            f" {names.INLINE_CERTIFICATES}",
        )
        return False
    if path.isprintable() or not _CONTROL.search(path):
        return not path.startswith(_CREDENTIAL) or _is_credential(path, place)
    place.fault(
        "holds a path with a control character",
        r"Write a path, not what the file holds; where a backslash is an escape, as in JSON,"
        r" double it: `D:\\new\\Mx1.pfx`",
    )
    return False


def _is_credential(path: str, place: Place) -> bool:
    name = path[len(_CREDENTIAL) :]
    if name in ("", ".", "..") or "/" in name or os.sep in name:
        place.fault("names no credential behind `credential:`", "Write the name of one, no path")
        return False
    if place.environ.get(_CREDENTIALS_DIRECTORY):
        return True
    problem = f"names a credential of systemd, but {_CREDENTIALS_DIRECTORY} is not set"
    remedy = "Give it to the service, with `LoadCredential=` or `LoadCredentialEncrypted=`"
    place.fault(problem, remedy)
    return False
