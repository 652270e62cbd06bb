"""``reload()``: what has changed is put in force, what has not goes on, a fault changes nothing."""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import logging
import os
import signal
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import mxcert_runtime
from mxcert_runtime.decisions import in_force
from mxcert_runtime.errors import SettingsError
from mxcert_runtime.start import reloading
from tests.pools import clients
from tests.pools.clients import Client, name_of
from tests.rotation.renewal import Renewal
from tests.support.listener import TIMEOUT
from tests.support.pki import Authority
from tests.support.plain_client import fetch
from tests.support.scene import ALPHA_HOST, BETA_HOST, Scene

each_client = pytest.mark.parametrize("client", clients.UNBOUND, ids=name_of)


def test_the_new_certificate_is_presented(renewal: Renewal) -> None:
    """After it a new connection presents what the files hold now; before it, what they held."""
    renewal.activate()
    context, before = renewal.scene.context(), renewal.leaf
    after = renewal.renew()
    assert before.fingerprint == fetch(renewal.scene.url(), context)["fingerprint"]
    mxcert_runtime.reload()
    assert after.fingerprint == fetch(renewal.scene.url(), context)["fingerprint"]


def test_nothing_changed(renewal: Renewal) -> None:
    """Where nothing has changed the generation stays the very same."""
    renewal.activate()
    before, counts = in_force.current, _outcomes()
    mxcert_runtime.reload()
    assert before is in_force.current
    assert {**counts, "unchanged": counts["unchanged"] + 1} == _outcomes()


def test_without_settings_in_force() -> None:
    """Where no settings are in force it does nothing, as the import without settings does."""
    mxcert_runtime.reload()
    assert not mxcert_runtime.is_active()


def test_a_fault_changes_nothing(renewal: Renewal) -> None:
    """Every fault is told at once, and the identities in force stay, those that are sound too."""
    renewal.activate()
    before = in_force.current
    renewal.path(".crt").write_text("no certificate")
    renewal.path(".key", "steady").unlink()
    with pytest.raises(SettingsError) as caught:
        mxcert_runtime.reload()
    assert 2 == len(caught.value.faults)
    for name in ("renewed.crt", "steady.key"):
        assert name in str(caught.value)
    assert before is in_force.current
    answer = fetch(renewal.scene.url(), renewal.scene.context())
    assert renewal.scene.alpha.fingerprint == answer["fingerprint"]


def test_the_environment_of_the_activation(
    renewal: Renewal, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that the program has taken out of the environment is known all the same."""
    path = scene.files.pkcs12(scene.alpha)
    monkeypatch.setenv("MXCERT_CLIENT_CERTIFICATES", str(path))
    monkeypatch.setenv("MXCERT_CLIENT_CERTIFICATE_PASSWORDS", scene.files.password)
    mxcert_runtime.activate()
    for name in list(os.environ):
        if name.startswith("MXCERT_"):
            monkeypatch.delenv(name)
    leaf = renewal.fresh()
    path.write_bytes(leaf.pkcs12(scene.files.password))
    mxcert_runtime.reload()
    assert [leaf.fingerprint] == [each.fingerprint for each in mxcert_runtime.identities()]


def test_a_mapping_that_its_caller_changes(renewal: Renewal) -> None:
    """What counts is the mapping as it was activated."""
    settings = renewal.settings()
    mxcert_runtime.activate(settings=settings)
    settings["identity"].clear()
    leaf = renewal.renew()
    mxcert_runtime.reload()
    assert leaf.fingerprint == mxcert_runtime.identities()[0].fingerprint
    assert 2 == len(mxcert_runtime.identities())


def test_the_log_tells(renewal: Renewal, caplog: pytest.LogCaptureFixture) -> None:
    """One line says which identity changed, and until when it lasts now."""
    renewal.activate()
    leaf = renewal.renew()
    with caplog.at_level(logging.INFO, "mxcert_runtime"):
        mxcert_runtime.reload()
    lines = [each.message for each in caplog.records if each.message.startswith("reloaded")]
    until = f"{leaf.certificate.not_valid_after_utc:%Y-%m-%d %H:%M}"
    assert [f"reloaded: renewed until {until} UTC; 1 identities as before"] == lines


@each_client
def test_pools(client: Client, renewal: Renewal) -> None:
    """A kept connection of the renewed identity is retired, and that of the other one stays."""
    scene = renewal.scene
    with client(scene.ca_file, None) as get:
        renewal.activate()
        for host in (ALPHA_HOST, BETA_HOST):
            get(scene.url(host))
        for number in range(3):
            leaf = renewal.renew()
            mxcert_runtime.reload()
            assert leaf.fingerprint == get(scene.url(ALPHA_HOST))["fingerprint"]
            assert scene.beta.fingerprint == get(scene.url(BETA_HOST))["fingerprint"]
            assert 3 + number == scene.server.connections


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
@each_client
def test_nothing_is_kept_of_the_old(client: Client, renewal: Renewal) -> None:
    """Idle connections of renewed identities are closed: there are never more than are in use."""
    scene = renewal.scene
    with client(scene.ca_file, None) as get:
        renewal.activate()
        get(scene.url())
        before = _descriptors(scene.server.port)
        for _ in range(5):
            renewal.renew()
            mxcert_runtime.reload()
            get(scene.url())
        assert before == _descriptors(scene.server.port)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
@pytest.mark.parametrize("client", clients.UNBOUND[:3], ids=name_of)
def test_idle_connections_are_closed_at_once(client: Client, renewal: Renewal) -> None:
    """A pool of urllib3 keeps none of the old identity until somebody asks for one."""
    scene = renewal.scene
    with client(scene.ca_file, None) as get:
        renewal.activate()
        for host in (ALPHA_HOST, BETA_HOST):
            get(scene.url(host))
        assert 2 == _descriptors(scene.server.port)
        renewal.renew()
        mxcert_runtime.reload()
        assert 1 == _descriptors(scene.server.port)


def test_a_connection_under_way(renewal: Renewal) -> None:
    """A connection that is open goes on, under the identity that it has presented."""
    renewal.activate()
    scene = renewal.scene
    with _connect(scene, scene.context(), ALPHA_HOST, None) as connection:
        seen = [_use(connection)[0]]
        renewal.renew()
        mxcert_runtime.reload()
        seen.append(_use(connection)[0])
    assert [scene.alpha.fingerprint] * 2 == seen


def test_old_contexts_go(renewal: Renewal) -> None:
    """With the last connection of an old identity its key goes, and a session does not keep it."""
    renewal.activate()
    assert in_force.current is not None
    key = weakref.ref(in_force.current.identities[0].key)
    context = renewal.scene.context()
    connection = _connect(renewal.scene, context, ALPHA_HOST, None)
    session = _use(connection)[1]
    renewal.renew()
    mxcert_runtime.reload()
    gc.collect()
    assert key() is not None
    connection.close()
    del connection
    gc.collect()
    assert key() is None
    assert isinstance(session, ssl.SSLSession)


def test_sessions(renewal: Renewal) -> None:
    """A session of the renewed identity is not resumed; one of the other identity is."""
    renewal.activate()
    scene, context = renewal.scene, renewal.scene.context()
    sessions = {}
    for host in (ALPHA_HOST, BETA_HOST):
        with _connect(scene, context, host, None) as connection:
            sessions[host] = _use(connection)[1]
    leaf = renewal.renew()
    mxcert_runtime.reload()
    found = {}
    for host, session in sessions.items():
        with _connect(scene, context, host, session) as connection:
            found[host] = connection.session_reused, _use(connection)[0]
    expected = {ALPHA_HOST: (False, leaf.fingerprint), BETA_HOST: (True, scene.beta.fingerprint)}
    assert expected == found


def _connect(scene: Scene, context: ssl.SSLContext, host: str, session: Any) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", scene.server.port), TIMEOUT)
    return context.wrap_socket(plain, server_hostname=host, session=session)


def _use(connection: ssl.SSLSocket) -> tuple[str | None, Any]:
    """What the server saw, and a session; a ticket of TLS 1.3 comes with the first answer."""
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    response = http.client.HTTPResponse(connection)
    response.begin()
    return json.loads(response.read())["fingerprint"], connection.session


def _descriptors(port: int) -> int:
    """The open connections of this process to a port."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                with socket.socket(fileno=os.dup(int(name))) as twin:
                    peer = twin.getpeername()
                found += isinstance(peer, tuple) and len(peer) > 1 and peer[1] == port
    return found


def _outcomes() -> dict[str, int]:
    return {each["outcome"]: each["count"] for each in mxcert_runtime.metrics()["reloads"]}


def _interrupted(monkeypatch: pytest.MonkeyPatch, interrupt: Callable[[], None]) -> None:
    """Interrupt the next reload between what it reads and what it puts in force, once."""
    build, calls = reloading.build_generation, iter([interrupt])

    def build_and_be_interrupted(reading: Any) -> Any:
        generation = build(reading)
        for call in calls:
            call()
        return generation

    monkeypatch.setattr(reloading, "build_generation", build_and_be_interrupted)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no SIGUSR1")
def test_a_signal_handler_within_a_reload(
    renewal: Renewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its handler has to take up is not undone by the reload that it has interrupted."""
    before = signal.signal(signal.SIGUSR1, lambda *_: mxcert_runtime.reload())

    def renew_and_signal() -> None:
        renewal.renew()
        os.kill(os.getpid(), signal.SIGUSR1)

    _interrupted(monkeypatch, renew_and_signal)
    try:
        renewal.activate(watch="off")
        renewal.renew()
        mxcert_runtime.reload()
    finally:
        signal.signal(signal.SIGUSR1, before)
    answer = fetch(renewal.scene.url(), renewal.scene.context())
    assert renewal.leaf.fingerprint == answer["fingerprint"]


def test_deactivated_within_a_reload(renewal: Renewal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is taken back while a reload is under way is not put in force again by it."""
    renewal.activate(watch="off")
    renewal.renew()
    _interrupted(monkeypatch, mxcert_runtime.deactivate)
    mxcert_runtime.reload()
    assert not mxcert_runtime.is_active()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_within_a_reload(renewal: Renewal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that another thread forks in the middle of a reload reloads by itself."""
    status: list[int] = []

    def fork_elsewhere() -> None:
        thread = threading.Thread(target=lambda: status.append(_forked_reload(renewal)))
        thread.start()
        thread.join(TIMEOUT)

    renewal.activate(watch="off")
    _interrupted(monkeypatch, fork_elsewhere)
    mxcert_runtime.reload()
    assert [0] == status


def _forked_reload(renewal: Renewal) -> int:
    """The status of a child: 0 where it has the renewed certificate after its own reload."""
    child = os.fork()
    if child == 0:
        renewal.renew()
        mxcert_runtime.reload()
        current = in_force.current
        has_it = current and current.identities[0].fingerprint == renewal.leaf.fingerprint
        os._exit(0 if has_it else 1)
    return os.waitpid(child, 0)[1]


@pytest.mark.parametrize("by", ["mapping", "environment", "settings file"])
def test_relative_paths(
    by: str, scene: Scene, client_authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are those of the activation, whatever has their name where the program is now."""
    home, elsewhere = scene.files.folder / "home", scene.files.folder / "elsewhere"
    for folder, leaf in ((home, scene.alpha), (elsewhere, scene.beta)):
        folder.mkdir()
        (folder / "own.pem").write_bytes(leaf.key_pem() + leaf.pem())
    entry = {"name": "own", "certificate": "own.pem", "hosts": [ALPHA_HOST]}
    (home / "mxcert.json").write_text(json.dumps({"identity": [entry]}))
    monkeypatch.chdir(home)
    if by == "settings file":
        monkeypatch.setenv("MXCERT_CONFIG", "mxcert.json")
    elif by == "environment":
        (home / "own.pem").write_bytes(scene.alpha.pkcs12("secret"))
        monkeypatch.setenv("MXCERT_CLIENT_CERTIFICATES", "own.pem")
        monkeypatch.setenv("MXCERT_CLIENT_CERTIFICATE_PASSWORDS", "secret")
    mxcert_runtime.activate({"identity": [entry]} if by == "mapping" else None)
    monkeypatch.chdir(elsewhere)
    leaf = client_authority.issue("fresh", server=False)
    content = leaf.pkcs12("secret") if by == "environment" else leaf.key_pem() + leaf.pem()
    (home / "own.pem").write_bytes(content)
    mxcert_runtime.reload()
    assert leaf.fingerprint == fetch(scene.url(), scene.context())["fingerprint"]
