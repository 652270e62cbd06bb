"""The environments that clients are installed in, by lists of pinned versions; made on demand."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import venv
from pathlib import Path

from tests.support.subprocesses import ROOT

from .values import Row

_LISTS = Path(__file__).parent


def _folder(name: str) -> Path:
    return ROOT / ".venvs" / f"compat-{name}"


def _list(name: str) -> Path:
    return _LISTS / f"requirements-{name}.txt"


def python_of(name: str) -> str:
    """The Python of an environment."""
    return str(_folder(name) / "bin" / "python")


def prepare(name: str) -> None:
    """Make the environment, unless it is there with these very versions."""
    folder, wanted = _folder(name), _list(name).read_bytes() + sys.version.encode()
    stamp = folder / "installed"
    if stamp.is_file() and stamp.read_bytes() == wanted:
        return
    venv.create(folder, with_pip=True, clear=True)
    # The list is whole, and what one client says of another's version is not asked.
    pip = [python_of(name), "-m", "pip", "install", "--quiet", "--no-deps", "--prefer-binary"]
    subprocess.run([*pip, "-r", str(_list(name))], check=True)
    stamp.write_bytes(wanted)


@functools.cache
def _versions(name: str) -> dict[str, str]:
    lines = _list(name).read_text(encoding="ascii").splitlines()
    pairs = (line.partition("==") for line in lines if "==" in line)
    return {_normal(distribution): version for distribution, _, version in pairs}


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def version_of(row: Row) -> str:
    """The version of a row's client; that of Python for the standard library."""
    if not row.distribution:
        return ".".join(map(str, sys.version_info[:3]))
    return _versions(row.environment)[_normal(row.distribution)]
