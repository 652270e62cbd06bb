"""An agent of one trust domain, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.spiffe import AgentProcess, TrustDomain, running_agent


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """The client is there: it needs Python 3.10, and newer libraries than the oldest."""
    pytest.importorskip("spiffe", reason="the SPIFFE client is not installed")


@pytest.fixture(scope="session")
def domain() -> TrustDomain:
    """The trust domain of the workload."""
    return TrustDomain("fleet.test")


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent that runs and has nothing to give yet."""
    with running_agent(tmp_path) as agent:
        yield agent
