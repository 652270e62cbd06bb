"""Checks of the files that hold a secret: may more people read them than need to?

POSIX only: the mode bits say nothing on other systems. A directory above that keeps others out is
not looked at, since it need not do so wherever the file is mounted next.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from ...base import Origin, OriginKind, mode_remedy
from ...identity import IdentitySettings, Pkcs12Inline
from ...settings import Reading, shown_path
from .diagnostic import Diagnostic, DiagnosticCode


def check_files(reading: Reading) -> Iterator[Diagnostic]:
    """Each file with a key or a password that its group or every user may read, once.

    A group by which this process itself reads it is as it has to be.
    """
    if os.name != "posix":
        return
    told = set()
    for path, origin, content, identity in _secret_files(reading):
        readers = _readers(path)
        if readers and path not in told:
            told.add(path)
            problem = f"the file {shown_path(path)} holds {content} and may be read by {readers}"
            remedy = mode_remedy(path)
            yield Diagnostic(
                code=DiagnosticCode.READABLE_BY_OTHERS,
                origin=origin,
                problem=problem,
                remedy=remedy,
                identity=identity,
            )


def _secret_files(reading: Reading) -> Iterator[tuple[str, str, str, str | None]]:
    """Path, origin, what is secret in it, and whose it is."""
    for identity in reading.settings.identities:
        for file in identity.material.files():
            if file.holds_key:
                yield file.path, str(identity.origin), "a private key", identity.name
    secret = frozenset(_places_of_secrets(reading.settings.identities))
    for each in reading.files:
        if each.path in secret or each.origin in secret:
            yield each.path, str(each.origin), "a password", None


def _places_of_secrets(identities: Iterable[IdentitySettings]) -> Iterator[str | Origin]:
    """The settings files that hold a secret themselves, and the settings whose files are one."""
    for identity in identities:
        if isinstance(identity.material, Pkcs12Inline):
            yield identity.origin.source
        origin = identity.password_origin
        if identity.password and origin is not None:
            # The file of a variable holds the whole list, of which an origin names the entry.
            yield from (origin, Origin(origin.source))
            if origin.kind is not OriginKind.POINTER:
                yield origin.source


def _readers(path: str) -> str | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None  # that it is not there is a fault, told elsewhere
    if found.st_mode & stat.S_IROTH:
        return "every user"
    groups = (os.getegid(), *os.getgroups())
    is_needed = read_by_group(found, os.geteuid(), groups)
    return "its group" if found.st_mode & stat.S_IRGRP and not is_needed else None


def read_by_group(found: os.stat_result, user: int, groups: Iterable[int]) -> bool:
    """Whether a user reads a file of another one by its group, as with ``fsGroup``."""
    return user not in (0, found.st_uid) and found.st_gid in groups
