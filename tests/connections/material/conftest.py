"""Fixtures of the tests of ``mxcert_runtime.material``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from tests.connections.material.reading import Activate
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def activate(client_files: ClientFiles, authority: Authority) -> Activate:
    """Entries whose hosts are given by name; each pins the servers' CA."""

    def activate(
        entries: Sequence[tuple[str, Leaf, Sequence[str]]],
        *,
        authorities: Sequence[Authority] = (authority,),
        **more: Any,
    ) -> None:
        listed = [
            client_files.identity(name, leaf, hosts=hosts, authorities=authorities)
            for name, leaf, hosts in entries
        ]
        mxcert_runtime.activate(settings={"identity": listed, **more})

    return activate


@pytest.fixture
def without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without files in memory."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
