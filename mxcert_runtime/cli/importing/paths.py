"""Paths of another machine: a folder of it is a folder of this one, as the user says."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable

from ...base import dataclass

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(frozen=True)
class FolderMap:
    """A folder there and the folder here."""

    old: str
    new: str

    def of(self, path: str) -> str | None:
        """The path here; ``None`` for a path that is not in the folder."""
        wanted, given = _folded(self.old), _folded(path)
        if given != wanted and not given.startswith(_with_end(wanted)):
            return None
        rest = path[len(self.old) :]
        rest = rest.replace("\\", "/") if is_windows(path) else rest
        return "/".join(filter(None, (self.new.rstrip("/"), rest.lstrip("/")))) or "/"


def folder_map(text: str) -> FolderMap:
    """The map that an option says, `OLD=NEW`."""
    old, mark, new = text.rpartition("=")
    if not mark or not old.rstrip("\\/") or not new:
        raise argparse.ArgumentTypeError(f"{text!r} is not OLD=NEW, such as 'C:\\certs=/etc/certs'")
    return FolderMap(old.rstrip("\\/"), new)


def is_windows(path: str) -> bool:
    """Whether a path is one of Windows alone."""
    return bool(_WINDOWS.match(path))


def is_foreign(path: str) -> bool:
    """Whether a path is none of this system's."""
    return is_windows(path) and os.name != "nt"


def mapped(path: str, maps: Iterable[FolderMap]) -> str:
    """The path here, by the longest folder that it is in; else as it is."""
    for each in sorted(maps, key=lambda one: -len(one.old)):
        found = each.of(path)
        if found is not None:
            return found
    return path


def suggestion(path: str) -> str:
    """An option that would map a path of Windows."""
    folder = re.split(r"[\\/](?=[^\\/]*$)", path)[0]
    return f"--map '{folder}=/etc/certs'"


def base_name(path: str) -> str:
    """The last part of a path of either system, without its ending."""
    last = re.split(r"[\\/]" if is_windows(path) else "/", path)[-1]
    return os.path.splitext(last)[0] or last


def _folded(path: str) -> str:
    return path.replace("/", "\\").lower() if is_windows(f"{path}\\") else path


def _with_end(folder: str) -> str:
    return folder + ("\\" if is_windows(f"{folder}\\") else "/")
