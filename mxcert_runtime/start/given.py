"""What the settings in force were read from, kept so that they can be read again.

A mapping is kept as it was, whatever its caller does with it later; so is the environment, from
which programs take passwords once they are read. The files that they name are read as they are;
relative paths are those of the activation, wherever the program has gone since.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..base import copied_environ
from ..settings import Reading, read_settings, settings_from, settled_paths


class Given:
    """A mapping, or without one the environment; it never shows what is in there."""

    __slots__ = ("_environ", "_folder", "_mapping")

    def __init__(self, mapping: Mapping[str, Any] | None) -> None:
        self._environ = copied_environ()
        self._folder = _working_directory()
        self._mapping = mapping

    def read(self) -> Reading:
        """The settings as they are now."""
        # Where the program has stayed, paths are shown as they were given.
        folder = "" if _working_directory() == self._folder else self._folder
        if self._mapping is None:
            return read_settings(self._environ, folder=folder)
        return settings_from(self._mapping, environ=self._environ, folder=folder)

    @property
    def is_of_environment(self) -> bool:
        """Whether another process with this environment reads the same settings."""
        return self._mapping is None

    def settled_paths(self) -> dict[str, str]:
        """The variables that name settings files, with paths that lead there from anywhere."""
        return settled_paths(self._environ, self._folder)

    def kept(self) -> Given:
        """This with a mapping of its own; only for one that could be read."""
        self._mapping = None if self._mapping is None else _copied(self._mapping)
        return self


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(each) for each in value]
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value
