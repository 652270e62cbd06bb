"""Activation: all or nothing, in force at once, and undone without a trace."""

from __future__ import annotations

import datetime
import http.client
import logging
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate, deactivate, identities, is_active
from mxcert_runtime.decisions import in_force
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer

_OWNERS = (ssl, ssl.SSLContext, ssl.SSLSocket, ssl.SSLObject, http.client.HTTPSConnection)
_DAY = datetime.timedelta(days=1)


def attributes() -> dict[tuple[str, str], int]:
    """Which object stands where in what activation hooks."""
    return {
        (owner.__name__, name): id(value)
        for owner in _OWNERS
        for name, value in vars(owner).items()
    }


@pytest.fixture(autouse=True)
def no_default_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings file of the machine plays no part."""
    missing = "/nonexistent/mxcert.toml"
    monkeypatch.setattr("mxcert_runtime.settings.names.DEFAULT_FILE", missing)


@pytest.fixture(autouse=True)
def debug_log(caplog: pytest.LogCaptureFixture) -> None:
    """All that the package logs is captured."""
    caplog.set_level(logging.DEBUG, "mxcert_runtime")


@pytest.fixture
def alpha_settings(client_files: ClientFiles, alpha: Leaf) -> dict[str, Any]:
    """The identity alpha, for localhost alone."""
    return _settings(client_files.identity("alpha", alpha, hosts=["localhost"]))


@pytest.fixture
def beta_settings(client_files: ClientFiles, beta: Leaf) -> dict[str, Any]:
    """The identity beta, for localhost alone."""
    return _settings(client_files.identity("beta", beta, hosts=["localhost"]))


def _settings(*entries: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"unlisted_hosts": "none", "identity": list(entries), **more}


class Peer:
    """A server, asked by a context that is made anew each time."""

    def __init__(self, server: TlsServer, authority: Authority) -> None:
        self._server = server
        self._authority = authority

    def sees(self, host: str = "localhost") -> str | None:
        """The fingerprint of the certificate that the server is shown."""
        answer = fetch(self._server.url(host), plain_context(self._authority))
        fingerprint: str | None = answer["fingerprint"]
        return fingerprint


@pytest.fixture
def peer(tls_server: ServerFactory[TlsServer], authority: Authority) -> Peer:
    """A server that takes clients with and without a certificate."""
    return Peer(tls_server(), authority)


def _levels(caplog: pytest.LogCaptureFixture) -> dict[str, list[str]]:
    levels: dict[str, list[str]] = {}
    for record in caplog.records:
        if record.name == "mxcert_runtime":
            levels.setdefault(record.levelname, []).append(record.getMessage())
    return levels


def test_activation_presents_and_deactivation_ends_it(
    peer: Peer, alpha: Leaf, alpha_settings: dict[str, Any]
) -> None:
    """The listed host sees the identity while it is in force, and nobody else at any time."""
    assert (None, False) == (peer.sees(), is_active())
    activate(alpha_settings)
    assert (alpha.fingerprint, None, True) == (peer.sees(), peer.sees("127.0.0.1"), is_active())
    deactivate()
    assert (None, False) == (peer.sees(), is_active())


def test_deactivation_restores_every_attribute(alpha_settings: dict[str, Any]) -> None:
    """The very same objects stand where they stood, once and after many rounds."""
    before = attributes()
    for _ in range(3):
        activate(alpha_settings)
        assert before != attributes()
        deactivate()
        assert before == attributes()


def test_deactivation_without_activation() -> None:
    """Deactivating what is not active does nothing."""
    before = attributes()
    deactivate()
    deactivate()
    assert (before, False) == (attributes(), is_active())


def test_activation_twice_hooks_once(peer: Peer, alpha: Leaf, alpha_settings: Any) -> None:
    """A second activation replaces no attribute again, and one deactivation restores all."""
    before = attributes()
    activate(alpha_settings)
    once = attributes()
    activate(alpha_settings)
    assert (once, alpha.fingerprint) == (attributes(), peer.sees())
    deactivate()
    assert before == attributes()


def test_activation_replaces(
    peer: Peer, beta: Leaf, alpha_settings: dict[str, Any], beta_settings: dict[str, Any]
) -> None:
    """The second settings are in force in the place of the first, not beside them."""
    activate(alpha_settings)
    activate(beta_settings)
    assert ["beta"] == [each.name for each in identities()]
    assert beta.fingerprint == peer.sees()


def test_contexts_from_before_go_on(
    tls_server: ServerFactory[TlsServer], authority: Authority, alpha: Leaf, alpha_settings: Any
) -> None:
    """A context that is used before, during and after activation works all the time."""
    server, context = tls_server(), plain_context(authority)
    seen = [fetch(server.url("localhost"), context)["fingerprint"]]
    activate(alpha_settings)
    seen.append(fetch(server.url("localhost"), context)["fingerprint"])
    deactivate()
    seen.append(fetch(server.url("localhost"), context)["fingerprint"])
    assert [None, alpha.fingerprint, None] == seen


NOTHING = [{}, {"unlisted_hosts": "none"}, {"trust_cache": False}, {"identity": []}]


@pytest.mark.parametrize("settings", [None, *NOTHING])
def test_nothing_without_settings(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Without identities, rules and authorities nothing is hooked, and nothing is said."""
    before = attributes()
    activate(settings)
    assert (before, False, {}) == (attributes(), is_active(), _levels(caplog))


def test_nothing_while_disabled(
    alpha_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``MXCERT_DISABLE=1`` disables settings of the environment and of the argument."""
    before = attributes()
    monkeypatch.setenv("ClientCertificates", "/nonexistent.p12")
    monkeypatch.setenv("MXCERT_DISABLE", "1")
    activate()
    activate(alpha_settings)
    activate({"no_such_key": 1})
    assert (before, False) == (attributes(), is_active())
    monkeypatch.setenv("MXCERT_DISABLE", "0")
    with pytest.raises(SettingsError):
        activate()


def test_settings_of_the_environment(
    peer: Peer, alpha: Leaf, client_files: ClientFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an argument the environment counts."""
    for name, value in client_files.variables(usages={"localhost": alpha}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MXCERT_UNLISTED_HOSTS", "none")
    activate()
    assert (alpha.fingerprint, None) == (peer.sees(), peer.sees("127.0.0.1"))


def test_an_argument_comes_before_the_environment(
    peer: Peer, alpha_settings: Any, alpha: Leaf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an argument the environment does not even need to be right."""
    monkeypatch.setenv("ClientCertificates", "/nonexistent.p12")
    activate(alpha_settings)
    assert alpha.fingerprint == peer.sees()


@pytest.fixture
def faulty(client_files: ClientFiles, alpha: Leaf, beta: Leaf, gamma: Leaf) -> dict[str, Any]:
    """A wrong password, a missing file and a conflict."""
    first = client_files.identity("first", alpha, hosts=["a.example"])
    second = client_files.identity("second", beta, hosts=["b.example"])
    third = client_files.identity("third", gamma, hosts=["B.example."])
    missing = str(client_files.folder / "missing.p12")
    return _settings(
        {**first, "password": "wrong"},
        second,
        third,
        {"name": "fourth", "pkcs12": missing, "password": ""},
    )


def test_every_fault_is_told(faulty: dict[str, Any]) -> None:
    """Faults of reading and of loading come together, each with origin, problem and remedy."""
    with pytest.raises(SettingsError) as caught:
        activate(faulty)
    text = str(caught.value)
    assert 3 == len(caught.value.faults)
    assert all(word in text for word in ("password", "leaf-0.p12", "missing.p12", "B.example"))
    assert all(word in text for word in ("first", "third", "fourth"))
    assert all(each.origin and each.problem and each.remedy for each in caught.value.faults)
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


def test_nothing_is_hooked_with_faults(faulty: dict[str, Any]) -> None:
    """Settings with faults change nothing at all."""
    before = attributes()
    with pytest.raises(SettingsError):
        activate(faulty)
    assert (before, False, ()) == (attributes(), is_active(), identities())


def test_faults_leave_the_first_settings_in_force(
    peer: Peer, alpha: Leaf, alpha_settings: Any, faulty: dict[str, Any]
) -> None:
    """A second activation that fails leaves the first as it was."""
    activate(alpha_settings)
    hooked, generation = attributes(), in_force.current
    with pytest.raises(SettingsError):
        activate(faulty)
    assert hooked == attributes()
    assert generation is in_force.current
    assert alpha.fingerprint == peer.sees()


def test_no_fault_of_a_fault(client_files: ClientFiles, alpha: Leaf) -> None:
    """A wrong password is one fault, even where hosts belong to a service of that identity."""
    entry = client_files.identity("alpha", alpha, services=["Billing.Orders"])
    services = {"Billing.Orders": ["orders.example"]}
    activate(_settings(entry, services=services))
    with pytest.raises(SettingsError) as caught:
        activate(_settings({**entry, "password": "wrong"}, services=services))
    assert 1 == len(caught.value.faults)


def test_a_service_without_an_identity_is_a_fault(client_files: ClientFiles, alpha: Leaf) -> None:
    """Hosts of a service that no identity names would be without a rule."""
    entry = client_files.identity("alpha", alpha, services=["Billing.Orders"])
    with pytest.raises(SettingsError, match=r"Billing\.Other"):
        activate(_settings(entry, services={"Billing.Other": ["orders.example"]}))


def test_a_hook_that_fails_leaves_nothing(
    alpha_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a patch cannot be put in place, those before it are taken back."""
    before = attributes()
    original = http.client.HTTPSConnection.connect
    monkeypatch.delattr(http.client.HTTPSConnection, "connect")
    monkeypatch.delattr(http.client.HTTPConnection, "connect")
    with pytest.raises(Exception, match="connect"):
        activate(alpha_settings)
    assert (False, ()) == (is_active(), identities())
    monkeypatch.undo()
    assert original is http.client.HTTPSConnection.connect
    assert before == attributes()


def test_concurrent_activation(
    peer: Peer, alpha: Leaf, beta: Leaf, alpha_settings: Any, beta_settings: Any
) -> None:
    """Threads that activate at once hook once; one of their settings is in force, whole."""
    before = attributes()
    barrier = threading.Barrier(8)
    failures: list[BaseException] = []

    def run(settings: dict[str, Any]) -> None:
        barrier.wait()
        try:
            activate(settings)
        except BaseException as error:
            failures.append(error)

    chosen = [alpha_settings, beta_settings] * 4
    threads = [threading.Thread(target=run, args=(settings,)) for settings in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {"alpha": alpha.fingerprint, "beta": beta.fingerprint}
    assert [] == failures
    assert expected[identities()[0].name] == peer.sees()
    deactivate()
    assert before == attributes()


def test_deactivation_while_others_activate(alpha_settings: dict[str, Any]) -> None:
    """Whatever order they come in, hooks and settings are there together, or neither."""
    before = attributes()
    barrier = threading.Barrier(4)

    def run(number: int) -> None:
        barrier.wait()
        for _ in range(5):
            deactivate() if number % 2 else activate(alpha_settings)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_active() == (before != attributes())
    deactivate()
    assert before == attributes()


_IMPORT = """
import json, ssl, sys
def snapshot():
    return {name: id(value) for name, value in {**vars(ssl), **vars(ssl.SSLContext)}.items()}
before = snapshot()
try:
    import mxcert_runtime
except Exception as error:
    outcome = [type(error).__name__, str(error)]
else:
    outcome = ["", ""]
print(json.dumps([*outcome, before == snapshot(), "mxcert_runtime" in sys.modules]))
"""


def test_the_import_activates(client_files: ClientFiles, alpha: Leaf) -> None:
    """With settings in the environment the import hooks."""
    outcome = run_client(_IMPORT, environment=client_files.variables(alpha)).json()
    assert ["", "", False, True] == outcome


def test_the_import_raises_with_faults(client_files: ClientFiles, alpha: Leaf) -> None:
    """With settings that cannot be used the import raises, names them all, and hooks nothing."""
    variables = client_files.variables(alpha)
    variables["ClientCertificates"] += ", /nonexistent.p12"
    variables["ClientCertificatePasswords"] = "wrong, wrong"
    variables["CACertificates"] = "/nonexistent.pem"
    name, text, untouched, imported = run_client(_IMPORT, environment=variables).json()
    assert ("SettingsError", True, False) == (name, untouched, imported)
    for word in ("leaf-0.p12", "/nonexistent.p12", "/nonexistent.pem", "3 faults"):
        assert word in text


def test_a_broken_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is named and cannot be read is a fault, not a start without settings."""
    monkeypatch.setenv("MXCERT_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(SettingsError, match=r"missing\.toml"):
        activate()
    assert not is_active()
