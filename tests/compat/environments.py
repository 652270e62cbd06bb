"""The environments that clients are installed in, by lists of pinned versions; made on demand."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from tests.support.pinned_environment import PinnedEnvironment, normal_name

from .values import Row


def _environment(name: str) -> PinnedEnvironment:
    return PinnedEnvironment(f"compat-{name}", Path(__file__).with_name(f"requirements-{name}.txt"))


def python_of(name: str) -> str:
    """The Python of an environment."""
    return _environment(name).python


def prepare(name: str) -> None:
    """Make the environment, unless it is there with these very versions."""
    _environment(name).prepare()


@functools.cache
def _versions(name: str) -> dict[str, str]:
    return _environment(name).versions()


def version_of(row: Row) -> str:
    """The version of a row's client; that of Python for the standard library."""
    if not row.distribution:
        return ".".join(map(str, sys.version_info[:3]))
    return _versions(row.environment)[normal_name(row.distribution)]
