"""Fixture of the tests of ``mxcert import``."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from mxcert_runtime.cli import main


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command with this text on stdin; gives exit status, stdout and stderr."""

    def run(text: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        status = main(["import", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run
