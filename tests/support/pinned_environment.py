"""An environment of its own with pinned versions, below ``.venvs``; made where it is not there."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from .subprocesses import ROOT


@dataclass(frozen=True)
class PinnedEnvironment:
    """A name below ``.venvs`` and the list of all versions in it."""

    name: str
    requirements: Path

    @property
    def folder(self) -> Path:
        return ROOT / ".venvs" / self.name

    @property
    def python(self) -> str:
        """The Python of the environment."""
        return str(self.folder / "bin" / "python")

    def prepare(self) -> bool:
        """Make the environment, unless it is there with these very versions; whether it did."""
        wanted = self.requirements.read_bytes() + sys.version.encode()
        stamp = self.folder / "installed"
        if stamp.is_file() and stamp.read_bytes() == wanted:
            return False
        venv.create(self.folder, with_pip=True, clear=True)
        # The list is whole, and what one package says of another's version is not asked.
        self.pip("install", "--no-deps", "--prefer-binary", "-r", str(self.requirements))
        stamp.write_bytes(wanted)
        return True

    def pip(self, command: str, *arguments: str) -> None:
        """Run pip in the environment; ``CalledProcessError`` where it fails."""
        subprocess.run([self.python, "-m", "pip", command, "--quiet", *arguments], check=True)

    def versions(self) -> dict[str, str]:
        """The pinned version of each distribution, by its normal name."""
        lines = self.requirements.read_text(encoding="ascii").splitlines()
        pairs = (line.partition("==") for line in lines if "==" in line)
        return {normal_name(distribution): version for distribution, _, version in pairs}


def normal_name(distribution: str) -> str:
    """The name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
