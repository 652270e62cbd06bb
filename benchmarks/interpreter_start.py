"""What the installed ``.pth`` file costs every interpreter that was not asked to start the plugin.

Virtual environments with the file, with one that does nothing, and with none; Python goes through
such files twice in each. The first of them, whatever it does, has Python 3.13 import a codec: that
is the difference between the two figures. Counted is the processor's time of the whole
interpreter, from its start to its end.
"""

from __future__ import annotations

import os
import sysconfig
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from .interpreters import in_one_worker
from .measure import Effort, Figure, Side, alternate_difference
from .workers import ROOT, by_hand, clean_environment

NAME = "interpreter_start"
WORKERS = 1

_FILE = "mxcert_runtime_autostart.pth"
_IDLE = "# nothing\n"
#: starts in each turn; one alone differs from the next by more than the file costs
_STARTS = 5


def make_environment(folder: Path, text: str | None, paths: Sequence[str] = ()) -> Path:
    """A virtual environment with a text for the ``.pth`` file, and further folders."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    variables = {"base": str(folder), "platbase": str(folder)}
    if text is not None:
        Path(sysconfig.get_path("purelib", vars=variables), _FILE).write_text(text, "ascii")
    if paths:
        lines = "".join(f"{path}\n" for path in paths)
        Path(sysconfig.get_path("purelib", vars=variables), "a_paths.pth").write_text(
            lines, "utf-8"
        )
    return folder


def _starting(label: str, environment: Path) -> Side:
    python = str(environment / "bin" / "python")
    variables = clean_environment()
    variables.pop("PYTHONPATH")

    def timed(loops: int) -> float:
        return sum(_processor_time(python, variables) for _ in range(loops))

    return Side(label, timed)


def _processor_time(python: str, variables: dict[str, str]) -> float:
    process = os.posix_spawn(python, [python, "-c", ""], variables)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"{python} ended with status {status}")
    return usage.ru_utime + usage.ru_stime


def measure(effort: Effort) -> list[Figure]:
    """One interpreter's start with the file, beside one with another, and beside one with none."""
    with tempfile.TemporaryDirectory() as folder:
        file = (ROOT / "mxcert_runtime" / "autostart.pth").read_text("ascii")
        installed = make_environment(Path(folder, "installed"), file)
        ours = _starting("with the file", installed)
        other = _starting("with an idle one", make_environment(Path(folder, "idle"), _IDLE))
        none = _starting("with none", make_environment(Path(folder, "none"), None))
        repeated = in_one_worker(effort)
        return [
            alternate_difference("not asked for", ours, other, repeated, loops=_STARTS),
            alternate_difference("the only such file", ours, none, repeated, loops=_STARTS),
        ]


if __name__ == "__main__":
    by_hand(NAME)
