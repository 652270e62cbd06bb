"""What to run next: whole lines, which can be copied from a terminal however wide it is."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable

from ...base import parse_pattern
from ...base.printable import printable
from ..terminal import Terminal


def print_steps(terminal: Terminal, steps: Iterable[str]) -> None:
    """Print them on stderr, where the terminal is."""
    terminal.heading("Next")
    for step in steps:
        print(f"  {printable(step)}", file=sys.stderr)


def probe_command(hosts: Iterable[str]) -> str:
    """The command that makes a handshake with the first of the hosts of rules that is one."""
    host = next((str(parse_pattern(each)) for each in hosts if "*" not in each), "HOST")
    return f"mxcert probe {shlex.quote(f'https://{host}/')}"
