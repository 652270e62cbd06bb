"""Client contexts of each kind, and authorities whose clients the servers know apart."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.connections.candidates import Candidates, ContextMaker
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf


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


@pytest.fixture(scope="session")
def leaves(root_a: Authority, below_b: Authority, root_c: Authority) -> dict[str, Leaf]:
    """One leaf below each root, b's two intermediates deep, and a second one of C."""
    return {
        "a": root_a.issue("a", server=False),
        "b": below_b.issue("b", server=False),
        "c": root_c.issue("c", server=False),
        "c2": root_c.issue("c2", server=False),
    }


@pytest.fixture
def candidates(client_files: ClientFiles, leaves: dict[str, Leaf]) -> Candidates:
    return Candidates(client_files, leaves)


@pytest.fixture
def roots(root_a: Authority, root_b: Authority, root_c: Authority) -> list[Authority]:
    """Whom the servers trust, whatever they name."""
    return [root_a, root_b, root_c]


@pytest.fixture
def named(root_a: Authority, below_b: Authority, root_c: Authority) -> dict[str, Authority]:
    """What servers may name."""
    upper, root_b = below_b.parents
    return {
        "A": root_a,
        "B": root_b,
        "upper B": upper,
        "lower B": below_b,
        "C": root_c,
        "unknown": Authority("Unknown"),
    }
