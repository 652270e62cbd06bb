"""What the tabulator key of real shells gives for the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mxcert_runtime.cli.probe.target import STARTTLS, parse_target
from tests.cli.processes import TIMEOUT, command_environment, run_command

pytest.importorskip("argcomplete")

#: bash calls what `complete` was given; this does the same, and prints what it would show
_BASH = """
eval "$(mxcert completion bash)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
COMP_TYPE=9; COMP_KEY=9; COMPREPLY=()
registered=$(complete -p mxcert)
registered=${registered##*-F }
"${registered%% *}" mxcert "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
_FISH = 'mxcert completion fish | source; complete -C "$argv" | string split -f 1 \\t'
#: zsh has no way to ask from outside of a terminal: what is asked is that it takes the script
_ZSH = """
autoload -Uz compinit && compinit -u -D
eval "$(mxcert completion zsh)" && echo $_comps[mxcert]
"""

_UPGRADED = {parse_target("tls://a.test", name).protocol.name for name in STARTTLS}
_CASES = [
    (("mxcert", "ch"), {"check"}),
    (("mxcert", "check", "--on"), {"--only"}),
    (("mxcert", "check", "--only", "ide"), {"identities"}),
    (("mxcert", "probe", "--starttls", ""), _UPGRADED),
    (("mxcert", "completion", "f"), {"fish"}),
    (("mxcert", "check", "--nothing-like-it"), set()),
]


def _shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    """A PATH that begins with the command."""
    command = tmp_path / "bin" / "mxcert"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mxcert_runtime "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    return command_environment(tmp_path, {"PATH": path, "HOME": str(tmp_path)})


def _output(*command: str, environ: Mapping[str, str]) -> list[str]:
    done = subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.any_python
@pytest.mark.parametrize(("words", "expected"), _CASES)
def test_bash(words: tuple[str, ...], expected: set[str], environ: Mapping[str, str]) -> None:
    """Subcommands, options and the values of options; nothing where nothing begins so."""
    told = _output(_shell("bash"), "--norc", "-c", _BASH, "bash", *words, environ=environ)
    assert set(told) == expected


@pytest.mark.any_python
@pytest.mark.parametrize(("words", "expected"), _CASES[:3])
def test_fish(words: tuple[str, ...], expected: set[str], environ: Mapping[str, str]) -> None:
    """As bash."""
    told = _output(_shell("fish"), "--no-config", "-c", _FISH, " ".join(words), environ=environ)
    assert set(told) == expected


@pytest.mark.any_python
def test_zsh(environ: Mapping[str, str]) -> None:
    """It has something that completes the command."""
    assert "argcomplete" in "".join(_output(_shell("zsh"), "-f", "-c", _ZSH, environ=environ))


def test_without_argcomplete(tmp_path: Path) -> None:
    """It says what it needs; a shell that asks gets an end, and nothing is printed."""
    hidden = "import sys; sys.modules['argcomplete'] = None; from mxcert_runtime.cli import main; "
    program = (sys.executable, "-c", f"{hidden}sys.exit(main())")
    done = run_command(tmp_path, "completion", "bash", program=program)
    assert (1, "") == (done.returncode, done.stdout)
    assert "needs argcomplete" in done.stderr
    asked = run_command(tmp_path, settings={"_ARGCOMPLETE": "1"}, program=program)
    assert (1, "", "") == (asked.returncode, asked.stdout, asked.stderr)
