"""Where the engines differ: each row of the table, as it is; and the table in the documents."""

from __future__ import annotations

import ast
import contextlib
import socket
from pathlib import Path
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.hooks.differences import DIFFERENCES, Difference
from mxcert_runtime.monitoring import counters
from tests.clients.calls import TIMEOUT, endpoint_of, request_for
from tests.diagnosis.told import told_of
from tests.engines.drivers import Driver
from tests.support.factories import ServerFactory
from tests.support.openssl_server import OpensslServer
from tests.support.pki import Authority, rsa_key
from tests.support.scene import ALPHA_HOST, HOSTS, Scene
from tests.support.server_tls import Demand, TlsVersion

TESTS = Path(__file__).parent.parent
DOCUMENT = TESTS.parent / "docs" / "engines.md"


def _row(difference: Difference) -> str:
    cells = difference.what, difference.ssl, difference.pyopenssl, difference.why
    return f"| {' | '.join(cells)} |"


def test_the_document_has_the_table() -> None:
    """Users read what is in the code, row by row."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert [_row(each) for each in DIFFERENCES] == rows[2:]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda each: each.what)
def test_every_row_is_shown(difference: Difference) -> None:
    """The test that a row names is there."""
    path, _, name = difference.shown_by.partition("::")
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    assert name in {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}


def _one_of(engine: Driver, of_ssl: Any, of_pyopenssl: Any) -> Any:
    return of_ssl if engine.name == "ssl" else of_pyopenssl


def test_when_a_connection_counts(engine: Driver, scene: Scene) -> None:
    """One that is made, and never begins its handshake."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    tally = counters.connection_tally("alpha", ALPHA_HOST)
    before = tally.value
    engine.make(context, ALPHA_HOST)
    assert _one_of(engine, 1, 0) == tally.value - before
    engine.first_flight(context, ALPHA_HOST)
    assert _one_of(engine, 2, 1) == tally.value - before


def test_what_chooses(
    engine: Driver,
    scene: Scene,
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    client_authority: Authority,
) -> None:
    """A server that takes RSA signatures only; the first identity has another key."""
    rsa = client_authority.issue("rsa", server=False, signing_key=rsa_key())
    identities = [
        scene.files.identity("ec", scene.alpha),
        scene.files.identity("rsa", rsa),
    ]
    options = ("-client_sigalgs", "RSA-PSS+SHA256:RSA+SHA256")
    server = openssl_server(
        hosts=HOSTS, version=tls_version, client_authorities=[client_authority], options=options
    )
    scene.activate(*identities, unlisted_hosts="offer")
    context = engine.context(scene.ca_file)
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as plain:
        engine.shake_hands(context, plain, ALPHA_HOST)
    assert [_one_of(engine, rsa.fingerprint, None)] == server.presented.wait_for(1)


def test_what_a_note_says_of_the_request(
    engine: Driver,
    scene: Scene,
    openssl_server: ServerFactory[OpensslServer],
    tls_version: TlsVersion,
    client_authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first failure, and the second."""
    server = openssl_server(
        hosts=HOSTS,
        version=tls_version,
        demand=Demand.DEMAND,
        client_authorities=[client_authority],
    )
    scene.activate_hosts()
    context, told = engine.context(scene.ca_file), []
    for _ in range(2):
        caplog.clear()
        with pytest.raises(engine.errors) as caught:
            engine.get(f"https://nobody.test:{server.port}/", context)
        told.append(told_of(caught.value, caplog)["the server asks for"].partition(",")[0])
    issuers = "a certificate from CN=Client root"
    assert _one_of(engine, ["not known", issuers], [issuers, issuers]) == told


def test_extra_cas_that_are_taken_out(
    engine: Driver, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a context with default trust, which has had them."""
    foreign = scene.files.authority(Authority("Foreign root"))
    monkeypatch.setenv("SSL_CERT_FILE", str(foreign))
    monkeypatch.setenv("SSL_CERT_DIR", str(foreign.parent / "nowhere"))
    scene.activate_hosts(ca=[scene.ca_file])
    context = engine.context()
    assert scene.alpha.fingerprint == engine.presented(scene.url(), context)
    scene.activate_hosts()
    if engine.name == "ssl":
        with pytest.raises(engine.errors):
            engine.get(scene.url(), context)
    else:
        assert scene.alpha.fingerprint == engine.presented(scene.url(), context)


def test_session_after_deactivation(engine: Driver, scene: Scene) -> None:
    """Asked for when the hooks have gone, of a connection that an identity has opened."""
    scene.activate_hosts()
    context = engine.context(scene.ca_file)
    host, port = endpoint_of(scene.url())
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), TIMEOUT))
        connection = stack.enter_context(engine.connected(context, plain, host))
        connection.sendall(request_for(scene.url()))
        engine.read_all(connection)
        mxcert_runtime.deactivate()
        session = engine.session_of(connection)
    if engine.name == "ssl":
        with pytest.raises(ValueError, match="different SSLContext"):
            engine.get(scene.url(), context, session=session)
    else:
        assert session is None
