"""Fixtures of the tests of ``mxcert probe``."""

from __future__ import annotations

import pytest

from tests.cli.probing import HOST, Probe, probe_with
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf


@pytest.fixture
def alpha_settings(client_files: ClientFiles, alpha: Leaf, authority: Authority) -> dict[str, str]:
    """The host has alpha's identity, and the servers' authority is trusted."""
    return client_files.variables(alpha, usages={HOST: alpha}, authorities=[authority])


@pytest.fixture
def probe(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    alpha_settings: dict[str, str],
) -> Probe:
    """Probes with these settings."""
    return probe_with(monkeypatch, capsys, alpha_settings)
