"""Settings put in the environment, and what a report tells of them by code."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.client_files import ClientFiles

DAY = datetime.timedelta(days=1)

#: runs the command with these arguments; gives its exit status and stdout
Check = Callable[..., "tuple[int, str]"]
Report = Callable[..., "tuple[int, dict[str, Any]]"]


def use(monkeypatch: pytest.MonkeyPatch, files: ClientFiles, **variables: str) -> None:
    """Put settings in the environment, with the default said; every file is the user's alone."""
    for path in files.folder.iterdir():
        path.chmod(0o600)
    said = {"MXCERT_UNLISTED_HOSTS": "offer"} if "ClientCertificates" in variables else {}
    for name, value in {**said, **variables}.items():
        monkeypatch.setenv(name, value)


def codes(data: dict[str, Any]) -> list[str]:
    """The codes of all errors and warnings."""
    return [each["code"] for each in (*data["errors"], *data["warnings"])]
