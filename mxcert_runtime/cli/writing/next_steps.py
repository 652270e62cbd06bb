"""What to run next: whole lines, which can be copied from a terminal however wide it is."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from ...base.printable import printable
from ..terminal import Terminal


def print_steps(terminal: Terminal, steps: Iterable[str]) -> None:
    """Print them on stderr, where the terminal is."""
    terminal.heading("Next")
    for step in steps:
        print(f"  {printable(step)}", file=sys.stderr)
