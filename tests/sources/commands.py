"""Commands that print credentials, or do something else, as small Python programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.support.pki import Leaf

#: what no error, log or trace may show
MARK = "hunter2-and-more"

PRINT_FILE = """
import pathlib, sys
with open(sys.argv[2], "a") as runs:
    runs.write("x")
sys.stdout.buffer.write(pathlib.Path(sys.argv[1]).read_bytes())
"""


def program(text: str, *arguments: str) -> list[str]:
    """The arguments that run a program text."""
    return [sys.executable, "-I", "-S", "-c", text, *arguments]


class Printer:
    """A command that prints what a file holds, and counts how often it is run."""

    def __init__(self, folder: Path) -> None:
        self.content = folder / "output"
        self._runs = folder / "runs"

    @property
    def command(self) -> list[str]:
        """Its arguments."""
        return program(PRINT_FILE, str(self.content), str(self._runs))

    @property
    def runs(self) -> int:
        """How often it was run."""
        return len(self._runs.read_text()) if self._runs.exists() else 0

    def print_leaf(self, leaf: Leaf) -> None:
        """From now on it prints this leaf and its key as PEM."""
        self.content.write_bytes(leaf.key_pem() + leaf.pem())


def source(command: list[str], **options: Any) -> dict[str, Any]:
    """The table of the settings that names a command."""
    return {"kind": "command", "command": command, "timeout": 60, **options}


def settings(command: list[str], *hosts: str, **options: Any) -> dict[str, Any]:
    """Settings of one identity that comes from a command."""
    identity = {"name": "printed", "source": source(command, **options), "hosts": list(hosts)}
    return {"unlisted_hosts": "none", "identity": identity}
