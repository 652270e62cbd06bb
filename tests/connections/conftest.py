"""Client contexts of each kind, and authorities whose clients the servers know apart."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.connections.candidates import ContextMaker
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority


def _explicit(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca_file))


def _by_default(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context()


@pytest.fixture(params=["new-explicit", "new-default", "old-explicit", "old-default"])
def client_context(
    request: pytest.FixtureRequest,
    client_files: ClientFiles,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> ContextMaker:
    """Made before or after the activation, with a bundle or with default trust."""
    ca_file = client_files.authority(authority)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    age, _, trust = request.param.partition("-")
    make = _explicit if trust == "explicit" else _by_default

    def before(activate: Callable[[], None]) -> ssl.SSLContext:
        context = make(ca_file)
        activate()
        return context

    def after(activate: Callable[[], None]) -> ssl.SSLContext:
        activate()
        return make(ca_file)

    return before if age == "old" else after


@pytest.fixture
def context(client_files: ClientFiles, authority: Authority) -> ssl.SSLContext:
    """A context with an explicit bundle, which is older than the activation."""
    return ssl.create_default_context(cafile=str(client_files.authority(authority)))


@pytest.fixture(scope="session")
def root_a() -> Authority:
    """A root whose clients the servers trust."""
    return Authority("Root A")


@pytest.fixture(scope="session")
def root_b() -> Authority:
    """Another one."""
    return Authority("Root B")


@pytest.fixture(scope="session")
def root_c() -> Authority:
    """A third one."""
    return Authority("Root C")


@pytest.fixture(scope="session")
def below_b(root_b: Authority) -> Authority:
    """An intermediate below B, and below another intermediate."""
    return root_b.intermediate("Upper B").intermediate("Lower B")
