"""One realm for the folder, and a server of it for each protocol version."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contexts.changes import Change
from tests.contexts.ground import GOOD, Activation, Ground, Realm
from tests.contexts.loading import WAYS, Way, loaded
from tests.support.client_files import ClientFiles
from tests.support.pki import Authority, Leaf
from tests.support.server_tls import Demand, ServerTls, TlsVersion
from tests.support.tls_server import TlsServer


@pytest.fixture(scope="session")
def realm() -> Realm:
    return Realm.make()


def realm_server(realm: Realm, client_authority: Authority, version: TlsVersion) -> TlsServer:
    """A server that has the leaf of whatever host of the realm is asked for."""
    tls = ServerTls(
        leaf=realm.leaves[GOOD],
        client_authorities=(client_authority,),
        demand=Demand.ACCEPT,
        version=version,
        leaves_by_name=realm.leaves,
    )
    return TlsServer(tls)


@pytest.fixture(
    scope="session",
    params=[TlsVersion.TLS12, TlsVersion.TLS13],
    ids=lambda version: version.value,
)
def server(
    request: pytest.FixtureRequest, realm: Realm, client_authority: Authority
) -> Iterator[TlsServer]:
    """The realm's server; the test runs once for each protocol version."""
    with realm_server(realm, client_authority, request.param) as running:
        yield running


@pytest.fixture
def ground(realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    folder = tmp_path / "ground"
    folder.mkdir()
    return Ground(realm, folder, monkeypatch)


@pytest.fixture
def activate(client_files: ClientFiles, alpha: Leaf) -> Activation:
    """Activates with the identity alpha for ``*.test`` or for the hosts named."""
    return Activation(client_files, alpha)


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request: pytest.FixtureRequest, ground: Ground) -> Way:
    """A way to trust the realm's authority."""
    ground.file(ground.realm.authority.pem)
    found: Way = request.param
    return found


@pytest.fixture
def pending(way: Way, ground: Ground, activate: Activation) -> ssl.SSLContext:
    """A context whose load has been done before, for another one."""
    activate()
    assert loaded(way(ground)) == 1
    context = way(ground)
    assert loaded(context) == 0
    return context


@pytest.fixture(params=["before", "after"])
def prepared(
    request: pytest.FixtureRequest, realm: Realm, activate: Activation
) -> Callable[[Change], ssl.SSLContext]:
    """Makes and changes a context, before or after activation."""

    def prepare(change: Change) -> ssl.SSLContext:
        if request.param == "after":
            activate()
        context = realm.trusting()
        change(context)
        if request.param == "before":
            activate()
        return context

    return prepare
