"""Runs a program under strace and finds what it wrote in clear that looks like a private key."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

_STRACE = ("strace", "-f", "-y", "-qq", "-s", "65536", "-e", "trace=write,pwrite64,writev,pwritev")
#: as ``-y`` shows a call: its name, the descriptor and what that is, the rest
_CALL = re.compile(
    r"\b(?:write|pwrite64|writev|pwritev)\(\d+<(?P<target>[^>]*)>(?:\(deleted\))?, (?P<data>.*)"
)
#: PKCS 8, SEC 1 and PKCS 1; an ENCRYPTED PRIVATE KEY is none of these
_CLEAR_KEY = re.compile(r"BEGIN (?:EC |RSA |DSA )?PRIVATE KEY")


def require_strace() -> None:
    """Skip the test where there is no strace or it may not trace."""
    if shutil.which("strace") is None:
        pytest.skip("no strace here")
    tried = subprocess.run([*_STRACE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.strip()}")


def clear_keys_written(
    program: Sequence[str], environment: Mapping[str, str], folder: Path
) -> list[str]:
    """Where the program and its children wrote a clear private key: paths, or ``/memfd:name``."""
    trace = folder / "trace"
    command = [*_STRACE, "-o", str(trace), *program]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    calls = map(_CALL.search, trace.read_text(encoding="utf-8", errors="replace").splitlines())
    return [call["target"] for call in calls if call and _CLEAR_KEY.search(call["data"])]
