"""Activation: in force at once, hooked once, and undone without a trace."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mxcert_runtime import SettingsError, activate, deactivate, identities, is_active
from tests.start.activation.state import IMPORT, Peer, attributes, logged
from tests.support.client_files import ClientFiles
from tests.support.factories import ServerFactory
from tests.support.pki import Authority, Leaf
from tests.support.plain_client import fetch, plain_context
from tests.support.subprocesses import run_client
from tests.support.tls_server import TlsServer


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
    assert (before, False, {}) == (attributes(), is_active(), logged(caplog))


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


def test_the_import_activates(client_files: ClientFiles, alpha: Leaf) -> None:
    """With settings in the environment the import hooks."""
    outcome = run_client(IMPORT, environment=client_files.variables(alpha)).json()
    assert ["", "", False, True] == outcome
